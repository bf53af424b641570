//! TLS without I/O: slices in, slices out.
//!
//! A configuration ([`ClientConfig`], [`ServerConfig`]) is an immutable snapshot that is checked when it is built. A
//! connection ([`ClientConnection`], [`ServerConnection`]) takes what the transport received and gives what the
//! transport must send; `oxtls-std` moves those bytes over sockets.
//!
//! # Features
//! None is on by default, and none changes what a program does that does not name what it brings.
//!
//! | feature | brings |
//! |---|---|
//! | `native-roots`, `webpki-roots` | the platform's roots, Mozilla's roots, in [`Roots`] |
//! | `zlib`, `brotli`, `zstd` | algorithms of [`CertificateCompression`] (RFC 8879) |
//! | `tracing` | events of what connections do |
//!
//! # Sessions
//! Clients that come back resume, without anybody saying so, and nothing about it widens trust:
//!
//! | what | where |
//! |---|---|
//! | a server's tickets, stores, lifetimes, virtual hosts | [`Resumption`] |
//! | ticket keys: random and rotating, of a fleet, given | [`TicketKeys`], [`FleetSeed`] |
//! | a client's sessions, kept or handed out | [`SessionCache`], [`ClientSession`] |
//! | early data (0-RTT), off by default | [`ReplayGuard`], [`Event::EarlyData`], [`Connection::early_data`] |
//! | certificates and policies replaced under live servers | [`Reloadable`] |
//!
//! # Events
//! With the feature `tracing`:
//!
//! | target | event | fields | level |
//! |---|---|---|---|
//! | `oxtls::handshake` | `sent`, `received` | `name` of the message (RFC 9846 section 4), its `level` of encryption and its `bytes` with header | DEBUG |
//! | `oxtls::handshake` | `sent`, `received` | `name`: `ChangeCipherSpec`, which is no message and has no more fields; one that TLS 1.3 passes over is not told | DEBUG |
//! | `oxtls::handshake` | `done` | `version`, `suite`, `group` | DEBUG |
//! | `oxtls::decision` | `asked` | `name` of the decision, as in [`Need`]; `of`: `configuration` or `caller` | DEBUG |
//! | `oxtls::decision` | `answered` | `name` | DEBUG |
//! | `oxtls::keys` | `installed` | `direction`, `level`, `suite` | DEBUG |
//! | `oxtls::keys` | `updated` | `direction` | DEBUG |
//! | `oxtls::alert` | `sent`, `received` | `name` and `code` (RFC 9846 section 6) | DEBUG |
//! | `oxtls::close` | `sent`, `received` | close_notify; no fields | DEBUG |
//! | `oxtls::close` | `failed` | `reason`: the error's sentence | INFO |
//!
//! No event carries a key, a secret, a random value, application data or the content of a message. The reason of a
//! failure can name what the peer sent in the clear or in its certificate: names, protocols, code points.
//!
//! Events say nothing of which connection they are of: calls come from its owner, who enters a span of its own around
//! them, with what identifies the connection there.
#![forbid(unsafe_code)]

mod clock;
mod compression;
mod config;
mod connection;
pub mod defaults;
mod error;
pub mod policy;
mod reload;
mod resumption;
mod trace;

pub use crate::clock::{Clock, ManualClock};
pub use crate::compression::{CertificateCompression, CertificateCompressor};
pub use crate::config::{
    ClientAuth, ClientConfig, ClientConfigBuilder, ConfigError, Credential, Decision, ServerConfig,
    ServerConfigBuilder,
};
pub use crate::connection::{
    ChannelBinding, Client, ClientConnection, Connection, EarlyDataStatus, Event, Info, Progress, Receiver,
    ResumedSession, Role, SealError, Sender, Server, ServerConnection,
};
pub use crate::error::{Error, ErrorKind};
pub use crate::reload::Reloadable;
pub use crate::resumption::{
    ClientSession, FleetSeed, ReplayGuard, ReplayVerdict, Resumption, SessionCache, SessionRefusal,
    SessionStore, TicketKeys,
};

pub use oxtls_crypto as crypto;
pub use oxtls_crypto::key_exchange::NamedGroup;
pub use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme, Signer, SigningKey};
pub use oxtls_handshake as handshake;
pub use oxtls_handshake::alert::AlertDescription;
pub use oxtls_handshake::config::{KeyShares, Retry};
pub use oxtls_handshake::error::{Error as HandshakeError, Fault, Offered};
pub use oxtls_handshake::need::{self, Need};
pub use oxtls_handshake::step::EarlyDataRejection;
pub use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
pub use oxtls_record::{Padding, RecordError, Sealed};
pub use oxtls_x509 as x509;
pub use oxtls_x509::{PeerIdentity, Report, Roots};
pub use pki_types;
