//! What a TLS 1.2 client refuses, at which message and with which alert; and what it takes.
//!
//! A server of ours answers honestly, and its messages are changed on their way. What it has signed is signed again
//! where the change would break the signature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

#[path = "../common/mod.rs"]
mod common;
mod credentials;
mod key_exchange;
mod mutants;
mod order;
mod our_hello;
mod server_hello;
mod t10_rows;

use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::client::Client;
use oxtls_handshake::config::{
    ClientAuth, ClientHandshake, Common, ConfigError, Credential, ServerHandshake,
};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12, HELLO_RETRY_REQUEST_RANDOM};
use oxtls_handshake::message::tls12::{certificate, certificate_request, server_key_exchange};
use oxtls_handshake::need::Need;
use oxtls_handshake::step::{ChangeCipherSpec, Direction, Input, Level, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};

use common::short::{DE, HF, IP, PV, UE, UM};
use common::{Answers, End, Hello, Message, NOW, Pair, client, credential, edit, server};

/// Which versions a side speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Versions {
    Only12,
    Both,
    Only13,
}

fn common_config(versions: Versions, change: impl FnOnce(&mut Common)) -> Arc<Common> {
    let (min_version, max_version) = match versions {
        Versions::Only12 => (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_2),
        Versions::Both => (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3),
        Versions::Only13 => (ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_3),
    };
    let mut common = Common {
        min_version,
        max_version,
        suites: [defaults::SUITES, SUITES].concat(),
        groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
        alpn: vec![b"h2".to_vec()],
        key_log: true,
        ..Common::default()
    };
    change(&mut common);
    Arc::new(common)
}

const SUITES: &[CipherSuite] = &[
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

fn client_config(versions: Versions, change: impl FnOnce(&mut Common)) -> ClientHandshake {
    ClientHandshake {
        common: common_config(versions, change),
        server_name: Some("server.example".to_owned()),
        ..ClientHandshake::default()
    }
}

/// What varies between the handshakes of these tests.
struct Setup {
    client: Versions,
    server: Versions,
    client_auth: ClientAuth,
    client_credential: Option<Arc<Credential>>,
    server_credential: Arc<Credential>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            client: Versions::Both,
            server: Versions::Only12,
            client_auth: ClientAuth::None,
            client_credential: None,
            server_credential: credential(KeyAlgorithm::EcdsaP256),
        }
    }
}

impl Setup {
    fn pair(self) -> Pair {
        self.pair_with(|_| (), |_| ())
    }

    fn pair_with(self, ours: impl FnOnce(&mut Common), theirs: impl FnOnce(&mut Common)) -> Pair {
        let answers = Answers {
            config: Arc::new(ServerHandshake {
                common: common_config(self.server, theirs),
                client_auth: self.client_auth,
                ..ServerHandshake::default()
            }),
            cookie: None,
            credential: Some(self.server_credential),
        };
        Pair {
            client: client(client_config(self.client, ours), Transport::Stream, self.client_credential),
            server: server(Transport::Stream, answers),
        }
    }
}

/// A ClientHello, and both ends when the server has answered it.
fn answered(setup: Setup) -> (Message, Pair) {
    let mut pair = setup.pair();
    pair.client.settle();
    pair.server.settle();
    let hello = pair.client.next_message();
    pair.server.give(&hello);
    pair.server.settle();
    (hello, pair)
}

/// The server's first flight, and the client that it is for.
fn flight(setup: Setup) -> (End, Vec<Message>) {
    let (_, pair) = answered(setup);
    (pair.client, pair.server.sent.into())
}

/// Gives the flight with `change` applied to the message of this name, up to the failure.
fn changed(setup: Setup, name: &str, change: impl FnOnce(&Message) -> Message) -> End {
    let (mut end, flight) = flight(setup);
    let mut change = Some(change);
    for message in flight {
        let message = match (message.name() == name, change.take()) {
            (true, Some(change)) => change(&message),
            (_, untouched) => {
                change = untouched;
                message
            }
        };
        if end.failure.is_some() {
            break;
        }
        end.give(&message);
    }
    assert!(change.is_none(), "no {name} in the flight");
    end
}

#[track_caller]
fn refused(end: &End, alert: AlertDescription) {
    let failure = end.failure.as_ref().expect("nothing was refused");
    assert_eq!(failure.alert, alert, "{}", failure.error);
    assert!(end.done.is_none());
}

fn hello_of(config: ClientHandshake) -> Hello {
    let mut end = client(config, Transport::Stream, None);
    end.drain();
    Hello::of(&end.next_message())
}

fn types(hello: &Hello) -> Vec<ExtensionType> {
    let mut types: Vec<_> = hello.extensions.iter().map(|(typ, _)| *typ).collect();
    types.sort_by_key(|typ| typ.0);
    types
}
