//! TLS without I/O: slices in, slices out.
//!
//! A configuration ([`ClientConfig`], [`ServerConfig`]) is an immutable snapshot that is checked when it is built. A
//! connection ([`ClientConnection`], [`ServerConnection`]) takes what the transport received and gives what the
//! transport must send; `oxtls-std` moves those bytes over sockets.
#![forbid(unsafe_code)]

mod clock;
mod compression;
mod config;
mod connection;
pub mod defaults;
mod error;

pub use crate::clock::{Clock, ManualClock};
pub use crate::compression::{CertificateCompression, CertificateCompressor};
pub use crate::config::{
    ClientAuth, ClientConfig, ClientConfigBuilder, ConfigError, Credential, Decision, ServerConfig,
    ServerConfigBuilder,
};
pub use crate::connection::{
    ChannelBinding, Client, ClientConnection, Connection, Event, Info, Progress, Receiver, Role, SealError,
    Sender, Server, ServerConnection,
};
pub use crate::error::{Error, ErrorKind};

pub use oxtls_crypto as crypto;
pub use oxtls_crypto::key_exchange::NamedGroup;
pub use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme, Signer, SigningKey};
pub use oxtls_handshake as handshake;
pub use oxtls_handshake::alert::AlertDescription;
pub use oxtls_handshake::config::{KeyShares, Retry};
pub use oxtls_handshake::error::{Error as HandshakeError, Fault};
pub use oxtls_handshake::need::{self, Need};
pub use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
pub use oxtls_record::{Padding, RecordError, Sealed};
pub use oxtls_x509 as x509;
pub use oxtls_x509::{PeerIdentity, Report, Roots};
pub use pki_types;
