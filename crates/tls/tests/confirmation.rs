//! When a client knows that the server has accepted it, and when it does not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::sync::Arc;

use common::*;
use oxtls::{AlertDescription, ClientAuth, ClientConnection, ErrorKind, Roots, ServerConnection};
use oxtls_test_pki::Ca;

/// Both ends of a handshake that is done at the client only: what it sent last has not been delivered.
fn client_is_done(server: &oxtls::ServerConfig) -> (ClientConnection, ServerConnection, Vec<u8>) {
    let (mut client, mut server) = ends(&mutual_client_config().build().unwrap(), server);
    feed(&mut server, &drain(&mut client)).unwrap();
    assert!(feed(&mut client, &drain(&mut server)).unwrap().done);
    let last = drain(&mut client);
    (client, server, last)
}

fn mutual() -> oxtls::ServerConfig {
    mutual_server_config().build().unwrap()
}

#[test]
fn done_is_not_confirmed_and_the_servers_reply_is_what_confirms() {
    for config in [mutual(), server_config().build().unwrap()] {
        let (mut client, mut server, last) = client_is_done(&config);
        assert!(!client.is_confirmed());
        client.request_confirmation().unwrap();
        feed(&mut server, &last).unwrap();
        let request = drain(&mut client);
        assert!(feed(&mut server, &request).unwrap().wants_reply);
        let reply = drain(&mut server);
        assert!(!client.is_confirmed());
        feed(&mut client, &reply).unwrap();
        assert!(client.is_confirmed());
        let said = seal(&mut client, b"after");
        assert_eq!(feed(&mut server, &said).unwrap().data, b"after");
    }
}

#[test]
fn asking_twice_is_asking_once() {
    let (mut client, mut server, last) = client_is_done(&mutual());
    client.request_confirmation().unwrap();
    client.request_confirmation().unwrap();
    let request = drain(&mut client);
    assert_eq!(request.len(), 5 + 5 + 1 + 16, "one KeyUpdate");
    feed(&mut server, &last).unwrap();
    feed(&mut server, &request).unwrap();
    let reply = drain(&mut server);
    feed(&mut client, &reply).unwrap();
    client.request_confirmation().unwrap();
    assert!(!client.wants_transmit(), "what is known is not asked for");
}

#[test]
fn a_refusal_comes_as_an_error_and_never_as_a_confirmation() {
    let mut strangers = Roots::empty();
    strangers.add_der(Ca::new("Another Authority", oxtls::KeyAlgorithm::EcdsaP256).certificate()).unwrap();
    let server = server_config().client_auth(ClientAuth::Required(Arc::new(strangers))).build().unwrap();
    let (mut client, mut server, last) = client_is_done(&server);
    client.request_confirmation().unwrap();
    feed(&mut server, &last).unwrap_err();
    let refusal = drain(&mut server);
    let error = feed(&mut client, &refusal).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AlertReceived { handshaking: false, .. }), "{error}");
    assert_eq!(error.alert_received(), Some(AlertDescription::UNKNOWN_CA));
    assert!(!client.is_confirmed());
}

#[test]
fn what_a_server_says_before_it_has_our_flight_confirms_nothing() {
    let config = server_config()
        .client_auth(ClientAuth::Optional(Arc::clone(&PKI.roots)))
        .half_rtt(true)
        .build()
        .unwrap();
    let (mut client, mut server, _) = client_is_done(&config);
    let early = seal(&mut server, b"half-RTT");
    assert_eq!(feed(&mut client, &early).unwrap().data, b"half-RTT");
    assert!(!client.is_confirmed(), "data");
    let (mut client, mut server) = connected();
    server.update_keys(false).unwrap();
    feed(&mut client, &drain(&mut server)).unwrap();
    assert!(!client.is_confirmed(), "a KeyUpdate that nobody asked for");
    server.close();
    assert!(feed(&mut client, &drain(&mut server)).unwrap().closed);
    assert!(!client.is_confirmed(), "close_notify");
}

#[test]
fn the_halves_of_a_connection_know_too() {
    let (client, server) = connected();
    let (mut sender, mut receiver) = client.split().unwrap();
    let (mut answering, mut listening) = server.split().unwrap();
    assert!(!receiver.is_confirmed() && listening.is_confirmed());
    sender.update_keys(true).unwrap();
    let mut window = [0; 100];
    let len = sender.transmit(&mut window);
    let _ = listening.feed(&mut window[..len]).unwrap();
    let len = answering.transmit(&mut window);
    let _ = receiver.feed(&mut window[..len]).unwrap();
    assert!(receiver.is_confirmed());
    let whole = ClientConnection::unsplit(sender, receiver).unwrap();
    assert!(whole.is_confirmed());
}
