//! The three ends, half-close, deadlines, and keys that are gone afterwards (RFC 9846 section 6.1).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::time::Duration;

use common::*;
use oxtls::{AlertDescription, Clock, ErrorKind, Fault, HandshakeError, SealError};

#[test]
fn close_notify_ends_one_direction_only() {
    let (mut client, mut server) = connected();
    client.close();
    let fed = feed(&mut server, &drain(&mut client)).unwrap();
    assert!(fed.closed);
    server.end_of_input().unwrap();
    assert!(matches!(client.seal(b"late", &mut [0; 100]), Err(SealError::Closed)));
    // The server goes on writing and the client goes on reading.
    let bytes = seal(&mut server, b"still here");
    assert_eq!(feed(&mut client, &bytes).unwrap().data, b"still here");
    server.close();
    assert!(feed(&mut client, &drain(&mut server)).unwrap().closed);
    client.end_of_input().unwrap();
}

#[test]
fn bytes_behind_close_notify_stay_the_callers() {
    let (mut client, mut server) = connected();
    let mut bytes = seal(&mut client, b"last");
    client.close();
    bytes.extend(drain(&mut client));
    bytes.extend_from_slice(b"not TLS any more");
    let fed = feed(&mut server, &bytes).unwrap();
    assert_eq!(fed.data, b"last");
    assert!(fed.closed);
    assert_eq!(fed.rest, b"not TLS any more");
}

#[test]
fn an_end_without_close_notify_is_truncation() {
    let (mut client, mut server) = connected();
    let bytes = seal(&mut client, b"hello");
    feed(&mut server, &bytes[..10]).unwrap();
    let error = server.end_of_input().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Truncated { handshaking: false, inside_record: true }));
    assert!(matches!(server.seal(b"x", &mut [0; 100]), Err(SealError::Failed)));

    let error = client.end_of_input().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Truncated { handshaking: false, inside_record: false }));
    assert_eq!(drain(&mut client), b"", "nobody is there to read an alert");
}

#[test]
fn an_end_during_the_handshake_says_so() {
    let (mut client, _) = ends(&client_config().build().unwrap(), &server_config().build().unwrap());
    let error = client.end_of_input().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Truncated { handshaking: true, .. }));
    assert_eq!(error.fault(), Fault::Peer);
}

#[test]
fn a_reset_is_neither_an_end_nor_truncation() {
    let (mut client, _) = connected();
    assert!(matches!(client.reset().kind(), ErrorKind::Reset));
    assert!(matches!(client.feed(&mut []).unwrap_err().kind(), ErrorKind::Failed));
}

#[test]
fn closing_during_the_handshake_cancels_it() {
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &server_config().build().unwrap());
    client.close();
    let error = feed(&mut server, &drain(&mut client)).unwrap_err();
    // user_canceled is a warning that is ignored; the close_notify behind it ends the handshake.
    assert!(matches!(error.kind(), ErrorKind::ClosedDuringHandshake), "{error}");
    assert_eq!(drain(&mut server), b"");
}

#[test]
fn a_fatal_alert_ends_both_directions_without_an_answer() {
    let (mut client, mut server) = connected();
    let mut bytes = seal(&mut client, b"x");
    *bytes.last_mut().unwrap() ^= 1;
    let error = feed(&mut server, &bytes).unwrap_err();
    assert_eq!(error.alert_sent(), Some(AlertDescription::BAD_RECORD_MAC));
    assert_eq!(error.fault(), Fault::Peer);
    let waiting = seal(&mut client, b"never sent");
    assert!(!waiting.is_empty());
    let error = feed(&mut client, &drain(&mut server)).unwrap_err();
    assert_eq!(error.alert_received(), Some(AlertDescription::BAD_RECORD_MAC));
    assert_eq!(drain(&mut client), b"");
    assert!(matches!(client.seal(b"x", &mut [0; 100]), Err(SealError::Failed)));
}

#[test]
fn a_handshake_has_a_deadline() {
    let (clock, hand) = Clock::manual(Duration::from_secs(1_800_000_000));
    let config = server_config().clock(clock).handshake_timeout(Duration::from_secs(5)).build().unwrap();
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &config);
    assert_eq!(server.time_left(), Some(Duration::from_secs(5)));
    hand.advance(Duration::from_secs(4));
    server.check_deadline().unwrap();
    hand.advance(Duration::from_secs(1));
    let error = server.feed(&mut drain(&mut client)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Handshake(HandshakeError::DeadlineExceeded)));
    assert_eq!(error.alert_sent(), Some(AlertDescription::USER_CANCELED));
    assert!(!drain(&mut server).is_empty(), "the client is told");
}

#[test]
fn a_connection_that_failed_stays_failed() {
    let (_, mut server) = ends(&client_config().build().unwrap(), &server_config().build().unwrap());
    let error = feed(&mut server, b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Record(_)), "{error}");
    assert!(matches!(server.feed(&mut []).unwrap_err().kind(), ErrorKind::Failed));
}

#[test]
fn application_data_waits_for_the_handshake() {
    let (mut client, _) = ends(&client_config().build().unwrap(), &server_config().build().unwrap());
    let hello = drain(&mut ends(&client_config().build().unwrap(), &server_config().build().unwrap()).0);
    let mut window = [0; 4096];
    assert!(matches!(client.seal(b"early", &mut window), Err(SealError::Handshaking)));
    assert_eq!(window, [0; 4096], "what is refused writes nothing");
    assert_eq!(drain(&mut client).len(), hello.len(), "and loses nothing");
}

/// A server that may speak before its client's Finished, and closes before it: its tickets, which are due with that
/// Finished, would come behind close_notify, under no key.
#[test]
fn nothing_follows_a_close_notify_that_was_sent_before_the_handshake_was_done() {
    let config = server_config().half_rtt(true).build().unwrap();
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &config);
    feed(&mut server, &drain(&mut client)).unwrap();
    assert!(server.can_seal() && server.is_handshaking());
    server.close();
    assert!(feed(&mut client, &drain(&mut server)).unwrap().closed);
    assert!(feed(&mut server, &drain(&mut client)).unwrap().done);
    assert!(!server.wants_transmit());
    assert_eq!(drain(&mut server), b"");
    // The other direction goes on.
    let bytes = seal(&mut client, b"still here");
    assert_eq!(feed(&mut server, &bytes).unwrap().data, b"still here");
}
