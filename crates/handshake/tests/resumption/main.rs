//! Sessions that are offered and resumed: T4 and T9 (TLS 1.3), T11 (TLS 1.2) and T12 f (both), row by row. The client's
//! rows are against a server of messages alone, the rest is both machines against each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

#[path = "../common/mod.rs"]
mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scripted::{
    AGE, AGE_ADD, Flight, FlightTls12, FullTls12, HelloTls12, NAME, Script, ScriptTls12, binder_verifies,
    retry, session, session_tls12,
};
use common::short::{DE, IP, TLS12, TLS13, UM};
use common::{Answers, End, Hello, Message, NOW, Pair, client, credential, edit, server, usual};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::client::Client;
use oxtls_handshake::config::{ClientHandshake, Common, ConfigError, Randomness, Recorded, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::extension::ticket_request::TicketRequest;
use oxtls_handshake::key_schedule::tls13::resumption_psk;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::client_hello::OwnedClientHello;
use oxtls_handshake::message::new_session_ticket::NewSessionTicket;
use oxtls_handshake::need::{Need, SessionOffer};
use oxtls_handshake::post_handshake::Received;
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::{Direction, Input, Level, Misuse, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};

const PSK: ExtensionType = ExtensionType::PRE_SHARED_KEY;
const TICKET: ExtensionType = ExtensionType::SESSION_TICKET;

fn common_config(min_version: ProtocolVersion, max_version: ProtocolVersion) -> Common {
    Common { min_version, max_version, ..usual() }
}

/// A client that wants sessions and offers this one.
fn config(
    session: Option<Session>,
    change: impl FnOnce(&mut ClientHandshake, &mut Common),
) -> ClientHandshake {
    let version = session.as_ref().map_or(TLS13, |session| session.version);
    let mut common = common_config(version, version);
    let mut config = ClientHandshake {
        server_name: Some(NAME.to_owned()),
        resumption: true,
        session: session.map(|session| Arc::new(Psk::Session(Box::new(session)))),
        tls12_tickets: true,
        ..ClientHandshake::default()
    };
    change(&mut config, &mut common);
    config.common = Arc::new(common);
    config
}

/// Such a client on a stream, and its first hello.
fn offering(session: Session, change: impl FnOnce(&mut ClientHandshake, &mut Common)) -> (End, Message) {
    started(config(Some(session), change), Transport::Stream)
}

fn started(config: ClientHandshake, transport: Transport) -> (End, Message) {
    let mut end = client(config, transport, None);
    end.drain();
    let hello = end.next_message();
    (end, hello)
}

/// A server of TLS 1.3 alone that resumes nothing.
fn server_of_tls13() -> Answers {
    let common = Arc::new(common_config(TLS13, TLS13));
    Answers {
        config: Arc::new(ServerHandshake { common, ..ServerHandshake::default() }),
        cookie: None,
        credential: Some(credential(KeyAlgorithm::EcdsaP256)),
    }
}

mod both_machines;
mod offer;
mod t10_full_handshakes_of_tls12;
mod t11_abbreviated;
mod t12_both_versions;
mod t4_psk;
mod t9_tickets;
mod unbound;
mod verified_again;
