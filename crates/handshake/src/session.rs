//! Sessions to resume, and what a resumption is judged by (RFC 9846 section 4.7.1).

use core::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;

use crate::outcome::PeerCertificates;
use crate::suite::{CipherSuite, ProtocolVersion};

/// A session as one side remembers it.
#[derive(Debug)]
pub struct Session {
    /// Its version.
    pub version: ProtocolVersion,
    /// Its suite.
    pub suite: CipherSuite,
    /// The resumption PSK (1.3) or the master secret (1.2).
    pub secret: Secret,
    /// The ticket or session ID; empty at a server that has not sealed it yet.
    pub ticket: Vec<u8>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// The peer's chain, as verified when the session was made; `None` if it sent none.
    pub peer: Option<PeerCertificates>,
    /// When it was made, since the Unix epoch.
    pub made_at: Duration,
    /// How long it may be used; at most 7 days.
    pub lifetime: Duration,
    /// ticket_age_add.
    pub age_add: u32,
    /// Most early data, plaintext bytes; 0: none.
    pub max_early_data: u32,
    /// 1.2: made with extended master secret.
    pub extended_master_secret: bool,
    /// Bytes of the application or transport, as they were given: QUIC parameters, HTTP settings.
    pub context: Vec<u8>,
}

/// A pre-shared key.
#[derive(Debug)]
pub enum Psk {
    /// From an earlier handshake.
    Session(Box<Session>),
    /// Agreed elsewhere.
    External {
        /// The key.
        secret: Secret,
        /// The hash that it is for.
        hash: Hash,
    },
}

/// What a replay guard keys on: the binder that was verified (RFC 9846 section 8.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplayKey(pub Vec<u8>);
