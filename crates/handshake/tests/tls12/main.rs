//! T10 and T12: TLS 1.2 with a full key exchange, row by row on both machines, with no record layer between them, and
//! how a server comes to speak it. What a client refuses is in `tls12_refusals`.
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

use common::short::{HF, IP, TLS12, TLS13, UM};
use common::{Answers, End, Hello, Message, Pair, client, credential, edit, server, usual};
use oxtls_crypto::hash::Hash;
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, Credential, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::key_schedule::tls12::{MasterSecret, Sender};
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12};
use oxtls_handshake::message::tls12::server_key_exchange::ServerKeyExchange;
use oxtls_handshake::need::Need;
use oxtls_handshake::step::{Direction, Level, Misuse, Transport};
use oxtls_handshake::suite::{Authentication, CipherSuite, ProtocolVersion};

const EMS: ExtensionType = ExtensionType::EXTENDED_MASTER_SECRET;

/// What the handshakes of this file have in common.
fn both(min_version: ProtocolVersion, max_version: ProtocolVersion) -> Common {
    Common {
        min_version,
        max_version,
        groups: vec![NamedGroup::X25519_MLKEM768, NamedGroup::X25519, NamedGroup::SECP256R1],
        ocsp: true,
        sct: true,
        ..usual()
    }
}

fn tls12() -> Common {
    both(TLS12, TLS12)
}

fn a_client(common: Common, credential: Option<Arc<Credential>>) -> End {
    let config = ClientHandshake {
        common: Arc::new(common),
        server_name: Some("server.example".to_owned()),
        shuffle_extensions: false,
        ..ClientHandshake::default()
    };
    client(config, Transport::Stream, credential)
}

fn a_server(common: Common, client_auth: ClientAuth, credential: Arc<Credential>) -> End {
    let config = ServerHandshake { common: Arc::new(common), client_auth, ..ServerHandshake::default() };
    let answers = Answers { config: Arc::new(config), cookie: None, credential: Some(credential) };
    server(Transport::Stream, answers)
}

fn pair_of(client_common: Common, server_common: Common) -> Pair {
    Pair {
        client: a_client(client_common, None),
        server: a_server(server_common, ClientAuth::None, credential(KeyAlgorithm::EcdsaP256)),
    }
}

fn pair() -> Pair {
    pair_of(tls12(), tls12())
}

fn authenticated(client_auth: ClientAuth, client_credential: Option<Arc<Credential>>) -> Pair {
    Pair {
        client: a_client(tls12(), client_credential),
        server: a_server(tls12(), client_auth, credential(KeyAlgorithm::EcdsaP256)),
    }
}

fn names(end: &End) -> Vec<String> {
    end.sent.iter().map(Message::name).collect()
}

/// The client's hello as this server would see it, and the server, before it has seen any.
fn before_the_hello(server_common: Common) -> (Message, End) {
    let Pair { mut client, mut server } = pair_of(tls12(), server_common);
    client.drain();
    server.drain();
    (client.next_message(), server)
}

/// What comes of a hello.
fn hello_to(mut server: End, hello: &Message) -> End {
    server.give(hello);
    server.settle();
    server
}

/// The server's answer to a hello that it goes on with.
fn server_hello(server: &End) -> Hello {
    assert!(server.failure.is_none(), "{:?}", server.failure);
    Hello::of(server.sent.front().expect("no ServerHello"))
}

/// Runs to the client's second flight, which is returned: nothing of it has been given to the server.
fn second_flight(pair: &mut Pair) -> Vec<Message> {
    let Pair { client, server } = pair;
    client.drain();
    server.drain();
    server.give(&client.next_message());
    server.settle();
    while let Some(message) = server.sent.pop_front() {
        client.give(&message);
        client.settle();
    }
    assert!(client.failure.is_none(), "{:?}", client.failure);
    client.sent.drain(..).collect()
}

/// Gives these messages to the end; the last one must be refused with this alert, and the machine be over.
#[track_caller]
fn refuses(end: &mut End, messages: &[&Message], alert: AlertDescription) {
    let (last, before) = messages.split_last().unwrap();
    for message in before {
        end.give(message);
        end.settle();
        assert!(end.failure.is_none(), "{}: {:?}", message.name(), end.failure);
    }
    assert_eq!(end.give(last), [format!("Failed({alert})@In")], "{:?}", end.failure);
    assert_eq!(end.offer(last, false), Err(Misuse::Ended));
}

mod after_the_handshake;
mod client_certificates;
mod every_state;
mod t10_full_handshake;
mod t10_refused_by_the_server;
mod t12_version_negotiation;
