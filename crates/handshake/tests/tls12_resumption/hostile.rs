//! Messages that nobody honest would send, in place of those of a resumption.

use super::*;

#[test]
fn nothing_but_a_change_of_key_follows_our_flight() {
    for by in BOTH {
        for typ in 0..=255 {
            let (_, mut pair) = resumed(by);
            let message = Message::new(Level::Initial, HandshakeType(typ), &[0; 12]);
            assert_eq!(pair.server.give(&message), ["Failed(unexpected_message)@Ap"], "{typ}");
        }
        let (_, mut pair) = resumed(by);
        let row = pair.server.give_with(&Message::change_cipher_spec(), true);
        assert_eq!(row, ["Failed(unexpected_message)@Ap"], "inside a message");
    }
}

#[test]
fn nothing_but_finished_follows_the_change_of_key() {
    for by in BOTH {
        for typ in (0..=255).filter(|typ| *typ != HandshakeType::FINISHED.0) {
            let (_, mut pair) = resumed(by);
            pair.server.give(&Message::change_cipher_spec());
            let message = Message::new(Level::Application, HandshakeType(typ), &[]);
            assert_eq!(pair.server.give(&message), ["Failed(unexpected_message)@Ap"], "{typ}");
        }
        let (_, mut pair) = resumed(by);
        pair.server.give(&Message::change_cipher_spec());
        assert_eq!(pair.server.give(&Message::change_cipher_spec()), ["Failed(unexpected_message)@Ap"]);
        let (_, mut pair) = resumed(by);
        pair.server.give(&Message::change_cipher_spec());
        let finished = Message::new(Level::Application, HandshakeType::FINISHED, &[0; 12]);
        assert_eq!(pair.server.give_with(&finished, true), ["Failed(unexpected_message)@Ap"]);
    }
}

/// Who has found a ticket has not found its secret.
#[test]
fn a_client_without_the_secret_is_not_let_in() {
    for by in BOTH {
        let (made, mut pair, hello) = ready(by, &sessions::nothing);
        asked(&mut pair, &hello);
        pair.server.found(made.changed(|session| session.secret = Secret::new(&[1; 48]).unwrap()));
        pair.server.resume(false);
        pair.server.give(&Message::change_cipher_spec());
        let finished = Message::new(Level::Application, HandshakeType::FINISHED, &[0; 12]);
        assert_eq!(pair.server.give(&finished), ["Failed(decrypt_error)@Ap"]);
        assert!(matches!(pair.server.error(), Error::BadFinished) && pair.server.done.is_none());
    }
}

#[test]
fn a_session_whose_secret_is_no_master_secret_is_our_own_fault() {
    let (made, mut pair, hello) = ready(By::Id, &sessions::nothing);
    asked(&mut pair, &hello);
    pair.server.found(made.changed(|session| session.secret = Secret::new(&[1; 32]).unwrap()));
    let row = pair.server.resume(false);
    assert_eq!(row.last().unwrap(), "Failed(internal_error)@In");
}

/// Any byte of either flight changed: one end or the other says no.
#[test]
fn an_abbreviated_handshake_that_was_changed_is_never_accepted() {
    for by in BOTH {
        let (made, mut honest, hello) = ready(by, &sessions::nothing);
        asked(&mut honest, &hello);
        honest.server.found(made.psk());
        honest.server.resume(false);
        let flight: Vec<Message> = honest.server.sent.iter().cloned().collect();
        for (n, message) in flight.iter().enumerate().filter(|(_, m)| **m != Message::change_cipher_spec()) {
            for at in (4..message.bytes.len()).step_by(3) {
                let (made, mut pair, hello) = ready(by, &sessions::nothing);
                asked(&mut pair, &hello);
                pair.server.found(made.psk());
                pair.server.resume(false);
                if let Some(byte) = pair.server.sent[n].bytes.get_mut(at) {
                    *byte ^= 1;
                }
                pair.run();
                assert!(!pair.is_done(), "byte {at} of {}", message.name());
            }
        }
    }
}
