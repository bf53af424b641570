//! The flows of TLS 1.3 row by row, on both machines, with no record layer between them.
//!
//! Each function `..._until(row)` performs a flow up to that row and asserts what each row yields; the tests named
//! `..._refuses_...` start from there and give a machine what that row must refuse. The notation is [`common`]'s.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::HashMap;
use std::sync::Arc;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::{ClientHandshake, Common, KeyShares, ServerHandshake};
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::key_schedule::exporter::Exporter;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12};
use oxtls_handshake::step::{Direction, Input, Level, Misuse, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};

use common::short::{DE, IP, UM};
use common::{Answers, End, Hello, Message, Pair, client, credential, edit, server};

const GROUPS: [NamedGroup; 2] = [NamedGroup::X25519, NamedGroup::SECP256R1];

/// What the handshakes of this file have in common: small groups, all optional extensions.
fn common_config(groups: &[NamedGroup]) -> Common {
    Common {
        groups: groups.to_vec(),
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        record_size_limit: Some(4096),
        key_log: true,
        ..Common::default()
    }
}

fn client_config(groups: &[NamedGroup]) -> ClientHandshake {
    ClientHandshake {
        common: Arc::new(common_config(groups)),
        server_name: Some("server.example".to_owned()),
        ..ClientHandshake::default()
    }
}

fn server_answers(groups: &[NamedGroup]) -> Answers {
    Answers {
        config: Arc::new(ServerHandshake {
            common: Arc::new(common_config(groups)),
            ..ServerHandshake::default()
        }),
        cookie: None,
        credential: Some(credential(KeyAlgorithm::EcdsaP256)),
    }
}

/// A flow on its way: the two machines, and the messages that have been taken from them by name.
struct Flow {
    client: End,
    server: End,
    messages: HashMap<String, Message>,
}

impl Flow {
    fn new(client: End, server: End) -> Self {
        Self { client, server, messages: HashMap::new() }
    }

    /// Takes the first message that the client has sent; it must be this one.
    fn take_from_client(&mut self, name: &str) -> Message {
        let message = self.client.next_message();
        assert_eq!(message.name(), name);
        self.messages.insert(name.to_owned(), message.clone());
        message
    }

    fn take_from_server(&mut self, name: &str) -> Message {
        let message = self.server.next_message();
        assert_eq!(message.name(), name);
        self.messages.insert(name.to_owned(), message.clone());
        message
    }
}

mod t12_version_negotiation;
mod t15_closing;
mod t1_full_handshake;
mod t2_hello_retry_request;
