//! What a completed handshake says: plain data, no secrets but the exporter's and the session's.

use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;
use pki_types::CertificateDer;

use crate::config::Credential;
use crate::key_schedule::exporter::Exporter;
use crate::session::{Psk, Session};
use crate::suite::{CipherSuite, ProtocolVersion};

/// What a completed handshake says.
#[derive(Debug)]
pub struct Outcome {
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The cipher suite.
    pub suite: CipherSuite,
    /// The key exchange group; `None` for a resumption without key exchange (TLS 1.2).
    pub group: Option<NamedGroup>,
    /// TLS 1.2: made with extended_master_secret (RFC 7627). TLS 1.3 always binds its secrets that way: true.
    pub extended_master_secret: bool,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The peer's certificates, verified; `None` if it sent none.
    pub peer: Option<PeerCertificates>,
    /// The scheme that the peer signed with.
    pub peer_signature_scheme: Option<SignatureScheme>,
    /// The scheme that we signed with.
    pub signature_scheme: Option<SignatureScheme>,
    /// The credential that we showed; its leaf is what a `tls-server-end-point` binding of a server hashes.
    pub credential: Option<Arc<Credential>>,
    /// The PSK that the handshake was resumed or keyed with.
    pub psk: Option<Arc<Psk>>,
    /// A HelloRetryRequest was exchanged.
    pub hello_retry_request: bool,
    /// 0-RTT was accepted.
    pub early_data: bool,
    /// What became of ECH.
    pub ech: EchStatus,
    /// The exporter, if the configuration wants it. TLS 1.2 has one only with extended_master_secret (RFC 7627
    /// section 5.4).
    pub exporter: Option<Exporter>,
    /// TLS 1.2: the session to store now.
    pub session: Option<Box<Session>>,
}

/// The certificates that a peer sent, as received and shared: every session of a connection has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificates {
    /// The chain, leaf first, never empty, shared.
    pub chain: Arc<[CertificateDer<'static>]>,
    /// The stapled OCSP response of the leaf.
    pub ocsp: Option<Arc<[u8]>>,
    /// The SCT list of the leaf, encoded (RFC 6962 section 3.3).
    pub scts: Option<Arc<[u8]>>,
}

/// What became of ECH.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EchStatus {
    /// Not offered.
    #[default]
    NotOffered,
    /// A random extension was sent, to look alike.
    Grease,
    /// The inner hello was used.
    Accepted,
}
