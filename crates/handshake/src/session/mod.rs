//! Sessions to resume, and what a resumption is judged by (RFC 9846 section 4.7.1).

mod encoding;

use core::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;

use crate::defaults::MAX_CLOCK_DIFFERENCE;
use crate::message::new_session_ticket::MAX_LIFETIME;
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
    /// The ticket; empty at a server that has not sealed it yet, and for a session of TLS 1.2 that goes by its ID.
    pub ticket: Vec<u8>,
    /// TLS 1.2: the session ID that the server gave it, at most 32 bytes; empty if it goes by its ticket.
    pub session_id: Vec<u8>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The application protocol.
    pub alpn: Option<Vec<u8>>,
    /// The peer's chain, as verified when the session was made; `None` if it sent none.
    pub peer: Option<PeerCertificates>,
    /// When it was made (a client: when the ticket came), since the Unix epoch.
    pub made_at: Duration,
    /// How long it may be used from then; at most 7 days.
    pub lifetime: Duration,
    /// When the peers last proved by signature who they are, since the Unix epoch: a session that was itself made by a
    /// resumption has the time of the handshake that all of them go back to.
    pub verified_at: Duration,
    /// ticket_age_add.
    pub age_add: u32,
    /// Most early data, plaintext bytes; 0: none.
    pub max_early_data: u32,
    /// 1.2: made with extended master secret.
    pub extended_master_secret: bool,
    /// 1.3: the server resumes it under other names of the certificate that it showed, too.
    pub resumption_across_names: bool,
    /// The policy that the peer was accepted under, as the outside hashes it: a session never resumes under another
    /// without its peer being judged again. Zeros until the outside sets it.
    pub policy: [u8; 32],
    /// When the path of the peer's chain, or what is known of its revocation, ends, since the Unix epoch; `None`:
    /// not limited by either.
    pub expires_at: Option<Duration>,
    /// The replay guard that can judge early data of this ticket; `None`: no 0-RTT at a server.
    pub guard: Option<[u8; 16]>,
    /// Bytes of the application or transport, as they were given: QUIC parameters, HTTP settings.
    pub context: Vec<u8>,
}

impl Session {
    /// Whether it may be resumed under this name (`None`: without one): that which it was made under, or where its ticket
    /// says so any other, as far as the peer's certificate is one of that name too. That is for a client to check.
    pub(crate) fn is_of_name(&self, name: Option<&str>) -> bool {
        self.is_of_same_name(name)
            || (self.version == ProtocolVersion::TLS1_3 && self.resumption_across_names)
    }

    /// Whether it was made under this name.
    pub(crate) fn is_of_same_name(&self, name: Option<&str>) -> bool {
        match (self.server_name.as_deref(), name) {
            (Some(then), Some(now)) => then.eq_ignore_ascii_case(now),
            (then, now) => then.is_none() && now.is_none(),
        }
    }

    /// Whether it may be used at this time since the Unix epoch: within its lifetime, which is seven days at most whatever
    /// it says, before its peer's chain ends, and not made later than now by more than clocks may
    /// [differ](crate::defaults::MAX_CLOCK_DIFFERENCE): a clock that was set back would let it live for ever.
    #[must_use]
    pub fn is_usable_at(&self, now: Duration) -> bool {
        let lifetime = self.lifetime.min(Duration::from_secs(MAX_LIFETIME.into()));
        self.made_at <= now.saturating_add(MAX_CLOCK_DIFFERENCE)
            && now < self.made_at.saturating_add(lifetime)
            && self.expires_at.is_none_or(|end| now < end)
    }
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

impl Psk {
    /// The earlier handshake's session; `None` for a key that was agreed elsewhere.
    #[must_use]
    pub const fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::External { .. } => None,
        }
    }
}

/// What a replay guard keys on: the binder that was verified (RFC 9846 section 8.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplayKey(pub Vec<u8>);
