//! What takes a message that no public call sends.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

use std::sync::Arc;

use oxtls_handshake::message::new_session_ticket::NewSessionTicket;
use oxtls_test_pki::{Ca, LeafSpec};
use pki_types::ServerName;

use super::{ClientConnection, Connection, Event, Role, SealError, ServerConnection};
use crate::{ClientAuth, ClientConfig, Credential, KeyAlgorithm, Roots, ServerConfig};

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
    let client = ClientConfig::builder().roots(roots).build().unwrap();
    let name = ServerName::try_from("server.test").unwrap();
    let (mut client, mut server) =
        (ClientConnection::new(&client, name).unwrap(), ServerConnection::new(&server));
    while client.is_handshaking() || server.is_handshaking() {
        move_all(&mut client, &mut server);
        move_all(&mut server, &mut client);
    }
    (client, server)
}

/// RFC 9846 section 4.7.1: only a server that has asked for no certificate may send a ticket before our Finished.
#[test]
fn a_ticket_confirms_only_where_a_certificate_was_asked_for() {
    let ticket = NewSessionTicket {
        lifetime: 1,
        age_add: 2,
        nonce: b"n",
        ticket: b"t",
        max_early_data: None,
        resumption_across_names: false,
    };
    for asked in [false, true] {
        let (mut client, mut server) = connected(asked);
        server.send.message(&ticket.encode().unwrap());
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
