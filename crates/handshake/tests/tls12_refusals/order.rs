//! Which message comes where, and where a record ends.

use super::*;

#[test]
fn every_message_has_its_place() {
    let full = || Setup {
        client_auth: ClientAuth::Optional,
        client_credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        ..Setup::default()
    };
    let (_, order) = flight(full());
    for at in 0..order.len() {
        for typ in 1..=255_u8 {
            let typ = HandshakeType(typ);
            let due = order[at].typ() == typ
                // CertificateRequest may be left out.
                || (order[at].typ() == HandshakeType::CERTIFICATE_REQUEST
                    && typ == HandshakeType::SERVER_HELLO_DONE);
            if due {
                continue;
            }
            let (mut end, flight) = flight(full());
            for message in &flight[..at] {
                end.give(message);
            }
            end.give(&Message::new(Level::Initial, typ, &[]));
            refused(&end, UM);
        }
    }
}

#[test]
fn a_change_cipher_spec_comes_between_the_finished_messages_only() {
    let setup = || Setup { client: Versions::Only12, ..Setup::default() };
    let (_, order) = flight(setup());
    for at in 0..order.len() {
        let (mut end, flight) = flight(setup());
        for message in &flight[..at] {
            end.give(message);
        }
        assert_eq!(end.read_mode.unwrap().change_cipher_spec, ChangeCipherSpec::Deliver);
        end.machine.input(Input::ChangeCipherSpec { more: false }).unwrap();
        end.drain();
        refused(&end, UM);
    }
    // Inside a message.
    let mut end = finishing();
    end.machine.input(Input::ChangeCipherSpec { more: true }).unwrap();
    end.drain();
    refused(&end, UM);
    assert_eq!(end.write_level, Level::Application);
    // Twice.
    let mut end = finishing();
    end.give(&Message::change_cipher_spec());
    end.give(&Message::change_cipher_spec());
    refused(&end, UM);
}

/// A client that has sent its Finished.
fn finishing() -> End {
    let (mut end, flight) = flight(Setup::default());
    for message in &flight {
        end.give(message);
    }
    end.settle();
    assert!(end.failure.is_none());
    end
}

#[test]
fn a_finished_is_protected_ends_its_record_and_fits_the_handshake() {
    let finished = Message::new(Level::Initial, HandshakeType::FINISHED, &[7; 12]);
    // In the clear, before the ChangeCipherSpec.
    let mut end = finishing();
    end.give(&finished);
    refused(&end, UM);
    let protected = Message { level: Level::Application, ..finished };
    for (message, more, alert) in [
        (&protected, false, AlertDescription::DECRYPT_ERROR),
        (&protected.with_body(&[7; 11]), false, AlertDescription::DECRYPT_ERROR),
        (&protected.with_body(&[]), false, AlertDescription::DECRYPT_ERROR),
        (&protected.with_body(&[7; 32]), false, AlertDescription::DECRYPT_ERROR),
        (&protected, true, UM),
        (&Message::new(Level::Application, HandshakeType::NEW_SESSION_TICKET, &[0; 6]), false, UM),
    ] {
        let mut end = finishing();
        let row = end.give(&Message::change_cipher_spec());
        assert_eq!(row, ["R:Ap", "R(del,no)"]);
        end.give_with(message, more);
        refused(&end, alert);
        assert_eq!(end.write_level, Level::Application);
    }
    // A ticket that was not promised.
    let mut end = finishing();
    end.give(&Message::new(Level::Initial, HandshakeType::NEW_SESSION_TICKET, &[0; 6]));
    refused(&end, UM);
}

#[test]
fn server_hello_done_ends_its_record() {
    let (mut end, flight) = flight(Setup::default());
    for message in &flight[..3] {
        end.give_with(message, true);
    }
    end.give_with(&flight[3], true);
    refused(&end, UM);
    assert!(matches!(end.error(), Error::ExcessHandshakeData { .. }));
}

#[test]
fn a_hello_request_is_refused_wherever_a_handshake_stands() {
    let request = Message::new(Level::Initial, HandshakeType::HELLO_REQUEST, &[]);
    for versions in [Versions::Only12, Versions::Only13] {
        let mut end = client(client_config(versions, |_| ()), Transport::Stream, None);
        end.settle();
        end.give(&request);
        refused(&end, UM);
    }
    let (_, messages) = flight(Setup::default());
    for before in 0..messages.len() {
        let (mut end, messages) = flight(Setup::default());
        for message in &messages[..before] {
            end.give(message);
        }
        end.settle();
        end.give(&request);
        refused(&end, UM);
    }
}
