//! What takes a message that no public call sends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

use std::sync::Arc;

use oxtls_handshake::message::new_session_ticket::NewSessionTicket;
use oxtls_test_pki::{Ca, LeafSpec};
use pki_types::ServerName;

use super::{ClientConnection, Connection, Event, Role, SealError, ServerConnection};
use crate::{ClientAuth, ClientConfig, ClientConfigBuilder, Credential, KeyAlgorithm, Roots, ServerConfig};

fn move_all<R: Role, S: Role>(from: &mut Connection<R>, to: &mut Connection<S>) {
    let mut window = vec![0; 64 * 1024];
    let len = from.transmit(&mut window);
    let mut rest = window.get_mut(..len).unwrap();
    while !rest.is_empty() {
        let consumed = to.feed(rest).unwrap().consumed;
        rest = rest.get_mut(consumed..).unwrap();
    }
}

fn connected(ask_for_certificate: bool) -> (ClientConnection, ServerConnection) {
    let (client, server, _) = connected_as(ask_for_certificate, |client| client);
    (client, server)
}

fn connected_as(
    ask_for_certificate: bool,
    settings: fn(ClientConfigBuilder) -> ClientConfigBuilder,
) -> (ClientConnection, ServerConnection, ClientConfig) {
    let ca = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).unwrap();
    let roots = Arc::new(roots);
    let issued = ca.issue(LeafSpec::server("server.test"));
    let credential = Credential::new(issued.chain, issued.key).unwrap();
    let client_auth =
        if ask_for_certificate { ClientAuth::Optional(Arc::clone(&roots)) } else { ClientAuth::None };
    let server = ServerConfig::builder().credential(credential).client_auth(client_auth);
    let server = server.no_resumption().build().unwrap();
    let config = settings(ClientConfig::builder().roots(roots)).build().unwrap();
    let name = ServerName::try_from("server.test").unwrap();
    let (mut client, mut server) =
        (ClientConnection::new(&config, name).unwrap(), ServerConnection::new(&server));
    while client.is_handshaking() || server.is_handshaking() {
        move_all(&mut client, &mut server);
        move_all(&mut server, &mut client);
    }
    (client, server, config)
}

const TICKET: NewSessionTicket<'_> = NewSessionTicket {
    lifetime: 1000,
    age_add: 2,
    nonce: b"n",
    ticket: b"t",
    max_early_data: None,
    resumption_across_names: false,
};

fn send_ticket(server: &mut ServerConnection, client: &mut ClientConnection) {
    server.send.message(TICKET.encode().unwrap());
    server.send.flush_flight().unwrap();
    move_all(server, client);
}

fn send_data(server: &mut ServerConnection, client: &mut ClientConnection) {
    let mut window = [0; 100];
    let sealed = server.seal(b"data", &mut window).unwrap();
    let _ = client.feed(&mut window[..sealed.written]).unwrap();
}

#[test]
fn a_cache_gets_tickets_until_data_follows_them_or_there_were_none_for_long() {
    for (tickets, records, kept) in [(2, 0, true), (1, 1, false), (0, 16, true), (0, 17, false)] {
        let (mut client, mut server, config) = connected_as(false, |client| client);
        (0..tickets).for_each(|_| send_ticket(&mut server, &mut client));
        (0..records).for_each(|_| send_data(&mut server, &mut client));
        let sessions = config.sessions().unwrap();
        assert_eq!(sessions.is_empty(), tickets == 0);
        sessions.clear();
        send_ticket(&mut server, &mut client);
        assert_eq!(!sessions.is_empty(), kept, "{tickets} {records}");
        assert!(!client.has_failed());
    }
}

#[test]
fn a_user_gets_tickets_whenever_they_come() {
    let (mut client, mut server, _) = connected_as(false, ClientConfigBuilder::hand_out_sessions);
    for _ in 0..3 {
        send_ticket(&mut server, &mut client);
        assert!(client.take_session().is_some());
        (0..20).for_each(|_| send_data(&mut server, &mut client));
    }
}

/// RFC 9846 section 4.7.1: only a server that has asked for no certificate may send a ticket before our Finished.
#[test]
fn a_ticket_confirms_only_where_a_certificate_was_asked_for() {
    for asked in [false, true] {
        let (mut client, mut server) = connected(asked);
        server.send.message(TICKET.encode().unwrap());
        server.send.flush_flight().unwrap();
        assert!(!client.is_confirmed());
        move_all(&mut server, &mut client);
        assert_eq!(client.is_confirmed(), asked);
    }
}

/// RFC 9846 section 4.7.3: no more than 2^48 - 1 updates are sent, and then a request is passed over.
#[test]
fn the_last_key_is_not_replaced_and_requests_are_passed_over() {
    let (mut client, mut server) = connected(false);
    server.send.spend_updates(1);
    client.update_keys(true).unwrap();
    move_all(&mut client, &mut server);
    move_all(&mut server, &mut client);
    assert!(client.is_confirmed(), "the last one was the reply");
    assert!(matches!(server.update_keys(false), Err(SealError::NoKeyUpdate)));
    client.update_keys(true).unwrap();
    move_all(&mut client, &mut server);
    assert!(server.wants_transmit());
    move_all(&mut server, &mut client);
    assert!(!server.wants_transmit() && !server.has_failed());
    let mut window = [0; 100];
    let sealed = server.seal(b"still here", &mut window).unwrap();
    let progress = client.feed(&mut window[..sealed.written]).unwrap();
    assert!(matches!(progress.event, Some(Event::Data(_))));
}
