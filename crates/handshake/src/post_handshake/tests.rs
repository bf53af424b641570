//! What comes after a handshake, and what goes out.

use super::*;
use crate::defaults;
use crate::message::HandshakeType;
use crate::message::new_session_ticket::NewSessionTicket;
use crate::outcome::EchStatus;
use crate::rfc8448::Trace;
use crate::step::Failure;

const NOW: Duration = Duration::from_millis(1_700_000_000_123);

fn outcome() -> Outcome {
    Outcome {
        version: ProtocolVersion::TLS1_3,
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        group: None,
        extended_master_secret: true,
        alpn: Some(b"h2".to_vec()),
        server_name: Some("example.org".into()),
        peer: None,
        peer_signature_scheme: None,
        signature_scheme: None,
        credential: None,
        psk: None,
        hello_retry_request: false,
        early_data: false,
        ech: EchStatus::NotOffered,
        exporter: None,
        session: None,
    }
}

fn secret() -> Option<Secret> {
    Some(Secret::new(Trace::simple().get("tls13 res master")).unwrap())
}

/// A minute before the tickets of these tests come.
const FINISHED: Duration = NOW.saturating_sub(Duration::from_secs(60));

fn client(quic: bool) -> Receive {
    client_after(&outcome(), quic)
}

fn client_after(outcome: &Outcome, quic: bool) -> Receive {
    let secret = secret().map(|secret| (secret, FINISHED));
    PostHandshake::client_tls13(outcome, Hash::Sha256, secret, quic).receive
}

fn server(quic: bool) -> PostHandshake {
    PostHandshake::server_tls13(&outcome(), Hash::Sha256, secret().map(|secret| (secret, NOW)), quic)
}

fn ticket(lifetime: u32, max_early_data: Option<u32>) -> Vec<u8> {
    NewSessionTicket {
        lifetime,
        age_add: 5,
        nonce: b"n",
        ticket: b"ticket",
        max_early_data,
        resumption_across_names: false,
    }
    .encode()
    .unwrap()
}

fn stored(receive: &mut Receive, message: &[u8]) -> Option<Session> {
    match receive.message(message, false, NOW).unwrap() {
        Some(Received::StoreSession(session)) => Some(*session),
        None => None,
        Some(Received::KeyUpdate { .. }) => panic!("not a KeyUpdate"),
    }
}

#[test]
fn ticket_of_rfc8448_becomes_its_session() {
    let trace = Trace::simple();
    let session = stored(&mut client(false), trace.get("server NewSessionTicket")).unwrap();
    assert_eq!(session.secret.as_bytes(), trace.get("tls13 resumption"));
    assert_eq!(session.lifetime, Duration::from_secs(30));
    assert_eq!(session.age_add, 0x933d_0932);
    assert_eq!(session.max_early_data, 1024);
    assert_eq!(session.made_at, NOW);
    assert_eq!(session.verified_at, FINISHED, "not when the ticket came");
    assert_eq!(session.alpn.as_deref(), Some(&b"h2"[..]));
    assert_eq!(session.server_name.as_deref(), Some("example.org"));
    assert_eq!(session.ticket.len(), 178);
}

#[test]
fn both_sides_of_a_ticket_have_the_same_session() {
    let mut tickets = server(false).tickets.unwrap();
    tickets.set_max_early_data(99);
    tickets.resumption_across_names(true);
    let mut receive = client(false);
    let first = tickets.next(NOW).unwrap();
    let second = tickets.next(NOW).unwrap();
    assert_ne!(first.session().secret, second.session().secret, "each ticket has a PSK of its own");
    assert_ne!(first.session().age_add, second.session().age_add);
    for (ticket, sealed) in [(second, &b"two"[..]), (first, b"one")] {
        let theirs = ticket.session().secret.duplicate();
        let age_add = ticket.session().age_add;
        assert_eq!(ticket.session().lifetime, defaults::TICKET_LIFETIME);
        assert_eq!(ticket.session().made_at, NOW);
        let session = stored(&mut receive, &ticket.message(sealed).unwrap()).unwrap();
        assert_eq!(session.secret, theirs);
        assert_eq!(session.age_add, age_add);
        assert_eq!(session.ticket, sealed);
        assert_eq!(session.lifetime, defaults::TICKET_LIFETIME);
        assert_eq!(session.max_early_data, 99);
        assert!(session.resumption_across_names);
    }
}

#[test]
fn lifetime_of_a_ticket_is_at_most_seven_days() {
    let week = Duration::from_secs(604_800);
    assert_eq!(stored(&mut client(false), &ticket(604_801, None)).unwrap().lifetime, week);
    let mut tickets = server(false).tickets.unwrap();
    tickets.set_lifetime(Duration::MAX);
    let ticket = tickets.next(NOW).unwrap();
    assert_eq!(ticket.session().lifetime, week);
    let message = ticket.message(b"t").unwrap();
    assert_eq!(NewSessionTicket::parse(&message[4..]).unwrap().lifetime, 604_800);
}

#[test]
fn ticket_that_is_not_to_be_kept_is_checked_and_dropped() {
    assert!(stored(&mut client(false), &ticket(0, None)).is_none());
    let mut without = PostHandshake::client_tls13(&outcome(), Hash::Sha256, None, false).receive;
    assert!(stored(&mut without, &ticket(1, None)).is_none());
    let longest = vec![7; defaults::MAX_TICKET + 1];
    for (ticket, kept) in [(&longest[1..], true), (&longest, false)] {
        let message = NewSessionTicket {
            lifetime: 1,
            age_add: 5,
            nonce: b"n",
            ticket,
            max_early_data: None,
            resumption_across_names: true,
        };
        let message = message.encode().unwrap();
        assert_eq!(stored(&mut client(false), &message).is_some(), kept);
    }
    let malformed = [HandshakeType::NEW_SESSION_TICKET.0, 0, 0, 1, 0];
    let failure = without.message(&malformed, false, NOW).unwrap_err();
    assert!(matches!(failure.error, Error::Malformed { .. }));
}

#[test]
fn server_without_a_resumption_secret_has_no_tickets() {
    assert!(PostHandshake::server_tls13(&outcome(), Hash::Sha256, None, false).tickets.is_none());
    assert!(PostHandshake::client_tls13(&outcome(), Hash::Sha256, None, false).tickets.is_none());
}

#[test]
fn empty_or_overlong_ticket_is_not_sent() {
    let mut tickets = server(false).tickets.unwrap();
    assert!(matches!(tickets.next(NOW).unwrap().message(b""), Err(Error::Internal(_))));
    assert!(matches!(tickets.next(NOW).unwrap().message(&vec![0; 0x1_0000]), Err(Error::TooLong)));
    tickets.next(NOW).unwrap().message(&vec![0; 0xffff]).unwrap();
}

#[test]
fn early_data_size_over_quic_is_all_or_nothing() {
    for (size, good) in [(None, true), (Some(u32::MAX), true), (Some(0), false), (Some(1), false)] {
        let result = client(true).message(&ticket(1, size), false, NOW);
        match result {
            Ok(Some(Received::StoreSession(session))) => {
                assert!(good);
                assert_eq!(session.max_early_data, size.unwrap_or_default());
            }
            Err(Failure { error: Error::QuicViolation(_), .. }) => assert!(!good),
            other => panic!("{other:?}"),
        }
    }
    let mut tickets = server(true).tickets.unwrap();
    tickets.set_max_early_data(1);
    assert_eq!(tickets.next(NOW).unwrap().session().max_early_data, u32::MAX);
    tickets.set_max_early_data(0);
    assert_eq!(tickets.next(NOW).unwrap().session().max_early_data, 0);
}

#[test]
fn key_update_says_whether_a_reply_is_wanted() {
    for receive in [&mut client(false), &mut server(false).receive] {
        for request in [false, true] {
            match receive.message(&key_update(request), false, NOW).unwrap() {
                Some(Received::KeyUpdate { reply }) => assert_eq!(reply, request),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn key_update_ends_its_record_and_is_zero_or_one() {
    let mut receive = client(false);
    let failure = receive.message(&key_update(false), true, NOW).unwrap_err();
    assert_eq!(failure.alert, crate::alert::AlertDescription::UNEXPECTED_MESSAGE);
    assert!(matches!(failure.error, Error::ExcessHandshakeData { after: HandshakeType::KEY_UPDATE }));
    let failure = receive.message(&[24, 0, 0, 1, 2], false, NOW).unwrap_err();
    assert!(matches!(failure.error, Error::IllegalParameter { .. }));
}

#[test]
fn every_other_message_after_the_handshake_is_unexpected() {
    for (mut receive, ticket_is_due, key_update_is_due) in [
        (client(false), true, true),
        (client(true), true, false),
        (server(false).receive, false, true),
        (server(true).receive, false, false),
    ] {
        for typ in 0..=255 {
            let due = match HandshakeType(typ) {
                HandshakeType::NEW_SESSION_TICKET => ticket_is_due,
                HandshakeType::KEY_UPDATE => key_update_is_due,
                _ => false,
            };
            let failure = receive.message(&[typ, 0, 0, 0], false, NOW).unwrap_err();
            let unexpected = matches!(failure.error, Error::UnexpectedMessage { .. });
            assert_eq!(unexpected, !due, "{typ}: {:?}", failure.error);
        }
    }
}
