//! T4 and T9 at the server: a session is looked for, proved by its binder, accepted, and resumed, or its client goes to a
//! full handshake.
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
mod t13_quic;
mod t4_across_a_retry;
mod t4_psk;
mod t9_tickets;

use std::sync::Arc;
use std::time::Duration;

use common::short::STREAM;
use common::{Message, NOW, Pair, edit, split_extensions};
use oxtls_crypto::hash::Hash;
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::{ClientAuth, KeyShares};
use oxtls_handshake::defaults;
use oxtls_handshake::error::Error;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::extension::ticket_request::TicketRequest;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::session::Psk;
use oxtls_handshake::step::{Direction, Level, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use sessions::{
    Change, Made, TICKET, identity, made, ms, nothing, offered, offering, pair, rebound, ticket_of, with_psks,
};

/// T4.4a.
const RESUMED: [&str; 8] = [
    "S(ServerHello)@In",
    "CCS",
    "W:HS",
    "R:HS",
    "R(drop,no,pa)",
    "S(EncryptedExtensions)@HS",
    "S(Finished)@HS",
    "W:Ap",
];

fn no_early_data(client: &mut oxtls_handshake::config::ClientHandshake) {
    client.early_data = false;
}

/// A session, a server, and a hello that offers it without early data.
fn ready(change: Change<'_>) -> (Made, Pair, Message) {
    let made = made(&STREAM, &nothing);
    let (pair, hello) = offering(&made, &STREAM, &|client, server, common| {
        no_early_data(client);
        change(client, server, common);
    });
    (made, pair, hello)
}

/// Up to FindSession.
fn asked(pair: &mut Pair, hello: &Message) {
    assert_eq!(pair.server.give(hello), ["?ChooseConfig"]);
    assert_eq!(pair.server.answer(), ["?FindSession"]);
}

/// Hands each end what the other has sent until both are done.
fn finish(pair: &mut Pair) {
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
}

/// A session of TLS 1.2 that a client offers beside TLS 1.3 is no PSK.
#[test]
fn a_ticket_of_tls12_is_not_looked_at_in_tls13() {
    let (_, mut pair, hello) = ready(&|_, server, _| server.tls12_tickets = true);
    let hello = edit(&hello, |hello| {
        hello.remove(ExtensionType::PRE_SHARED_KEY);
        hello.set(ExtensionType::SESSION_TICKET, b"old ticket");
    });
    pair.server.give(&hello);
    assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
}
