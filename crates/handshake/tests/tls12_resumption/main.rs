//! T11 at the server, and what T10.7 hands out: TLS 1.2 sessions by ID and by ticket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

#[path = "../common/mod.rs"]
mod common;
mod hostile;
#[path = "../sessions/mod.rs"]
mod sessions;
mod t10_sessions_of_full_handshakes;
mod t11_abbreviated;
mod t11_renewal;

use std::sync::Arc;
use std::time::Duration;

use common::short::STREAM;
use common::{Message, NOW, Pair, edit};
use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;
use oxtls_handshake::config::ClientAuth;
use oxtls_handshake::defaults;
use oxtls_handshake::error::Error;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::server_hello::DOWNGRADE_TLS12;
use oxtls_handshake::message::tls12::new_session_ticket::NewSessionTicket;
use oxtls_handshake::need::{Need, SealTicket, SessionOffer};
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::Level;
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use sessions::{Change, Made, offering, pair, tls12};

const TICKET: &[u8] = b"ticket of old";

/// How the client's session is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Id,
    Ticket,
}

const BOTH: [By; 2] = [By::Id, By::Ticket];

fn change_to<'a>(
    by: By,
    change: Change<'a>,
) -> impl Fn(
    &mut oxtls_handshake::config::ClientHandshake,
    &mut oxtls_handshake::config::ServerHandshake,
    &mut oxtls_handshake::config::Common,
) + 'a {
    move |client, server, common| {
        tls12(common);
        client.tls12_tickets = by == By::Ticket;
        server.tls12_tickets = by == By::Ticket;
        change(client, server, common);
    }
}

fn seal(pair: &mut Pair) -> SealTicket {
    match pair.server.need.take() {
        Some(Need::SealTicket(need)) => need,
        other => panic!("SealTicket is due, not {other:?}"),
    }
}

/// Runs a full handshake up to where the server asks for a ticket, or to the end.
fn full(pair: &mut Pair) {
    pair.client.settle();
    pair.server.settle();
    loop {
        if matches!(pair.server.need, Some(Need::SealTicket(_))) {
            return;
        }
        if pair.server.need.is_some() {
            pair.server.answer();
        } else if pair.client.need.is_some() {
            pair.client.answer();
        } else if let Some(message) = pair.client.sent.pop_front() {
            pair.server.give(&message);
        } else if let Some(message) = pair.server.sent.pop_front() {
            pair.client.give(&message);
        } else {
            return;
        }
    }
}

/// A session as both ends have it.
fn made(by: By, change: Change<'_>) -> Made {
    let mut pair = pair(&STREAM, &change_to(by, change));
    full(&mut pair);
    let server = if by == By::Ticket {
        let need = seal(&mut pair);
        let bytes = need.session.to_bytes().unwrap().to_vec();
        let answer = need.answer(Some(TICKET.to_vec()));
        pair.server.take_answer(answer);
        full(&mut pair);
        assert!(pair.server.outcome().session.is_none());
        bytes
    } else {
        pair.server.outcome().session.as_ref().expect("a session is made").to_bytes().unwrap().to_vec()
    };
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    let (outcome, _) = pair.client.done.take().unwrap();
    let session = outcome.session.expect("the client has a session");
    Made { client: Arc::new(Psk::Session(session)), server }
}

/// A session, a server, and a hello that offers it.
fn ready(by: By, change: Change<'_>) -> (Made, Pair, Message) {
    let made = made(by, &sessions::nothing);
    let (pair, hello) = offering(&made, &STREAM, &change_to(by, change));
    (made, pair, hello)
}

fn asked(pair: &mut Pair, hello: &Message) {
    assert_eq!(pair.server.give(hello), ["?ChooseConfig"]);
    assert_eq!(pair.server.answer(), ["?FindSession"]);
}

/// The session is resumed and our flight is out.
fn resumed(by: By) -> (Made, Pair) {
    let (made, mut pair, hello) = ready(by, &sessions::nothing);
    asked(&mut pair, &hello);
    assert_eq!(pair.server.found(made.psk()), ["?AcceptSession"]);
    pair.server.resume(false);
    (made, pair)
}

fn finish(pair: &mut Pair) {
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
}
