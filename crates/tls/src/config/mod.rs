//! Configurations: immutable snapshots that connections share, checked when they are built.

mod client;
mod credential;
mod error;
mod server;
mod verifier;

pub use client::{ClientConfig, ClientConfigBuilder};
pub use credential::Credential;
pub use error::ConfigError;
pub use server::{ClientAuth, ServerConfig, ServerConfigBuilder};

pub(crate) use client::ClientInner;
pub(crate) use server::ServerInner;

use std::time::Duration;

use oxtls_handshake::config::Common;
use oxtls_handshake::defaults as handshake_defaults;
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use oxtls_record::Padding;

use crate::clock::Clock;
use crate::compression::CertificateCompression;
use crate::defaults;
use crate::policy::{ProtocolPolicy, Said};

/// A decision that a connection hands to its caller as a [`Need`](crate::Need) instead of taking it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// Server: which configuration serves this hello.
    ChooseConfig,
    /// Which credential to show.
    ChooseCredential,
    /// Whether the peer's certificates are good.
    VerifyPeer,
    /// Signing, also with keys that are here.
    Sign,
    /// Decompressing the peer's certificate, also by what is here.
    Decompress,
    /// Server: which session a client's tickets and session ID are of.
    FindSession,
    /// Server: whether a session that was found is resumed, and whether its early data is taken.
    AcceptSession,
    /// Server: sealing tickets. TLS 1.2's come as a [`Need`](crate::Need), TLS 1.3's after the handshake, by
    /// [`take_tickets`](crate::Connection::take_tickets).
    SealTicket,
}

/// What a connection needs of either role's configuration while it shakes hands.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) handshake_timeout: Duration,
    pub(crate) ask: Vec<Decision>,
    pub(crate) padding: Padding,
    pub(crate) max_fragment: Option<u16>,
    pub(crate) compression: Vec<CertificateCompression>,
    /// Suites that somebody has chosen; `None`: those of every version that is spoken.
    pub(crate) suites: Option<Vec<CipherSuite>>,
    /// What all of it must lie within.
    pub(crate) policy: Option<ProtocolPolicy>,
    pub(crate) said: Said,
    /// Whether certificate signatures that verified are remembered.
    pub(crate) remember_signatures: bool,
}

impl Settings {
    /// Whether this decision is the caller's.
    pub(crate) fn asks(&self, decision: Decision) -> bool {
        self.ask.contains(&decision)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            handshake_timeout: defaults::HANDSHAKE_TIMEOUT,
            ask: Vec::new(),
            padding: Padding::None,
            max_fragment: None,
            compression: Vec::new(),
            suites: None,
            policy: None,
            said: Said::default(),
            remember_signatures: true,
        }
    }
}

/// What both roles start with.
pub(crate) fn common() -> Common {
    Common { min_version: ProtocolVersion::TLS1_2, max_version: ProtocolVersion::TLS1_3, ..Common::default() }
}

/// The range of what may be put in a record: as record_size_limit's, less the content type (RFC 8449 section 4).
const MIN_FRAGMENT: u16 = 63;
const MAX_FRAGMENT: u16 = 1 << 14;

/// Fills in what hangs on several settings, and checks what either role's machine would refuse later.
pub(crate) fn complete(common: &mut Common, settings: &Settings) -> Result<(), ConfigError> {
    common.suites = match &settings.suites {
        // A list that has no suite of a version has switched that version off.
        Some(chosen) => chosen.clone(),
        None if common.min_version <= ProtocolVersion::TLS1_2 => handshake_defaults::SUITES_TLS12.to_vec(),
        None => handshake_defaults::SUITES.to_vec(),
    };
    if let Some(policy) = &settings.policy {
        policy.complete(common, settings)?;
    }
    if settings.max_fragment.is_some_and(|bytes| !(MIN_FRAGMENT..=MAX_FRAGMENT).contains(&bytes)) {
        return Err(ConfigError::Invalid(format!("max_fragment has {MIN_FRAGMENT} to {MAX_FRAGMENT} bytes")));
    }
    if let Some(protocol) = common.alpn.iter().find(|protocol| protocol.is_empty() || protocol.len() > 255) {
        return Err(ConfigError::Invalid(format!(
            "an application protocol name has 1 to 255 bytes, not {}",
            protocol.len()
        )));
    }
    Ok(())
}

/// The credentials with the forms that these algorithms give them.
pub(crate) fn compressed(
    credentials: Vec<Credential>,
    by: &[CertificateCompression],
) -> Result<Vec<Credential>, ConfigError> {
    credentials.into_iter().map(|credential| credential.compressed(by)).collect()
}

/// Builder methods that both roles have.
macro_rules! common_builder_methods {
    () => {
        /// Versions to speak, the lowest and the highest. By default those that there are: TLS 1.2 and TLS 1.3. TLS 1.3
        /// alone: `.versions(ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_3)`.
        pub fn versions(
            mut self,
            lowest: oxtls_handshake::suite::ProtocolVersion,
            highest: oxtls_handshake::suite::ProtocolVersion,
        ) -> Self {
            self.common.min_version = lowest;
            self.common.max_version = highest;
            self.settings.said.versions = true;
            self
        }

        /// Cipher suites of all versions, in order of preference. A version that none of them is of is not spoken,
        /// whatever [`versions`](Self::versions) says: a list of TLS 1.3's suites alone switches TLS 1.2 off. By default
        /// all suites that this library has for the versions.
        pub fn suites(mut self, suites: &[oxtls_handshake::suite::CipherSuite]) -> Self {
            self.settings.suites = Some(suites.to_vec());
            self
        }

        /// Stays within this policy, of [`policy`](crate::policy) or one's own, wherever among the calls this is: what is
        /// not said otherwise comes from it, and what is said must lie within it. Of several calls the last counts.
        pub fn policy(mut self, policy: $crate::policy::ProtocolPolicy) -> Self {
            self.settings.policy = Some(policy);
            self
        }

        /// TLS 1.2: talk to peers without extended_master_secret (RFC 7627) too. Off by default: such peers are refused
        /// with handshake_failure.
        ///
        /// What is lost with them: their master secret is not bound to the certificates of their handshake. Whoever
        /// both ends talk to at once can make two connections share one secret, and what one end says about *its*
        /// connection then holds for the other's as well (the triple handshake attack). Such a connection therefore
        /// [exports](crate::Connection::export) nothing, and its session is not resumed unless
        /// [`resume_unbound_sessions`](Self::resume_unbound_sessions) says so as well. TLS 1.3 is not concerned.
        pub fn allow_unbound_master_secret(mut self, on: bool) -> Self {
            self.common.require_extended_master_secret = !on;
            self
        }

        /// TLS 1.2: keep and resume sessions without extended_master_secret, of the peers that
        /// [`allow_unbound_master_secret`](Self::allow_unbound_master_secret) lets in, without which this is a
        /// [`ConfigError`](crate::ConfigError). Off by default, and RFC 7627 (sections 5.3 and 5.4) advises against it: it is
        /// for old devices to which a full handshake takes seconds.
        ///
        /// What is risked is what the triple handshake attack is about: in a full handshake each end signs or checks what
        /// the other has said; in a resumed one the master secret alone tells who the other is. If somebody between has made
        /// two sessions share one, a resumption joins the two connections, and each end takes the words of a stranger for
        /// those of its peer. (With the key exchanges of this library nobody knows how to make two sessions share one; with
        /// others, which the peer may have, it was done.) So this holds: a session carries the mark that it was made so, and
        /// a configuration that has not opted for it never resumes it; none is kept in which a client has shown a
        /// certificate, nor at a server that asks for one; nothing is exported; and as soon as both ends have the extension
        /// there is a full handshake (a server), or none (a client whose server claims it for such a session).
        pub fn resume_unbound_sessions(mut self, on: bool) -> Self {
            self.common.resume_unbound_sessions = on;
            self
        }

        /// Key exchange groups, in order of preference.
        pub fn groups(mut self, groups: &[oxtls_crypto::key_exchange::NamedGroup]) -> Self {
            self.common.groups = groups.to_vec();
            self.settings.said.groups = true;
            self
        }

        /// Signature schemes that the peer may use, in order of preference.
        pub fn verify_schemes(mut self, schemes: &[oxtls_crypto::signature::SignatureScheme]) -> Self {
            self.common.verify_schemes = schemes.to_vec();
            self.settings.said.verify_schemes = true;
            self
        }

        /// Application protocols (ALPN, RFC 7301), in order of preference: `["h2", "http/1.1"]`.
        pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
            self.common.alpn = protocols.into_iter().map(|protocol| protocol.as_ref().to_vec()).collect();
            self
        }

        /// How long a handshake may take (default 30 s).
        pub fn handshake_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.settings.handshake_timeout = timeout;
            self
        }

        /// The clock (default: the system's).
        pub fn clock(mut self, clock: $crate::Clock) -> Self {
            self.settings.clock = clock;
            self
        }

        /// Keep lines for a key log (RFC 9850): whoever has them can read the connection. Off by default.
        pub fn key_log(mut self, on: bool) -> Self {
            self.common.key_log = on;
            self
        }

        /// Keep the exporter's secret after the handshake (RFC 9846 section 7.5). On by default; connections that
        /// need no exporter keep one secret less.
        pub fn exporter(mut self, on: bool) -> Self {
            self.common.exporter = on;
            self
        }

        /// Largest record that the peer may send: plaintext and content type, 64 to 16,385 bytes (RFC 8449).
        pub fn record_size_limit(mut self, limit: u16) -> Self {
            self.common.record_size_limit = Some(limit);
            self
        }

        /// How protected records are padded (RFC 9846 section 5.4), handshake messages included. Not at all by default.
        pub fn padding(mut self, padding: oxtls_record::Padding) -> Self {
            self.settings.padding = padding;
            self
        }

        /// Algorithms to compress certificates by (RFC 8879), in order of preference: they are offered to peers, and
        /// the credentials here are sent compressed to peers that offer one of them. None by default. Each credential
        /// is compressed once, by [`build`](Self::build).
        pub fn certificate_compression(
            mut self,
            algorithms: impl IntoIterator<Item = $crate::CertificateCompression>,
        ) -> Self {
            self.settings.compression = algorithms.into_iter().collect();
            let offered = self.settings.compression.iter().filter(|algorithm| algorithm.receives());
            self.common.decompress = offered.map(|algorithm| algorithm.algorithm()).collect();
            self
        }

        /// Ask the peer for a stapled OCSP response (RFC 6066 section 8). Off by default.
        pub fn request_ocsp(mut self, on: bool) -> Self {
            self.common.ocsp = on;
            self
        }

        /// Ask the peer for signed certificate timestamps (RFC 6962 section 3.3). Off by default.
        pub fn request_scts(mut self, on: bool) -> Self {
            self.common.sct = on;
            self
        }

        /// Largest handshake message to hold, bytes with header (default 128 KiB).
        pub fn max_message(mut self, bytes: u32) -> Self {
            self.common.max_message = bytes;
            self
        }

        /// Most certificates of a peer's chain to take (default 16).
        pub fn max_chain(mut self, certificates: usize) -> Self {
            self.common.max_chain = certificates;
            self
        }

        /// Most plaintext that we put in a record, bytes (default 16,384): small records reach a reader that decrypts
        /// whole ones sooner.
        pub fn max_fragment(mut self, bytes: u16) -> Self {
            self.settings.max_fragment = Some(bytes);
            self
        }

        /// Remember which certificate signatures have verified, so that the chain of a peer that comes back costs none
        /// of them again, in this configuration and all clones of it. On by default: what is remembered can't be put
        /// there by who has not proved who it is, and time, names, constraints, revocation and policy are judged in
        /// every handshake anew; [`SignatureCache`](crate::x509::SignatureCache) says how that is safe. There is room
        /// for [`REMEMBERED_SIGNATURES`](crate::defaults::REMEMBERED_SIGNATURES); a
        /// [`Verifier`](crate::x509::Verifier) with a cache of its own keeps that, whatever is said here.
        pub fn remember_signatures(mut self, on: bool) -> Self {
            self.settings.remember_signatures = on;
            self
        }

        /// Decisions that the connection hands to its caller as a [`Need`](crate::Need).
        pub fn ask(mut self, decisions: &[$crate::Decision]) -> Self {
            self.settings.ask = decisions.to_vec();
            self
        }
    };
}
pub(crate) use common_builder_methods;
