//! What a machine must be told: plain values, checked when they are made.

mod check;
mod credential;
mod prepared;

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

pub use check::ConfigError;
pub(crate) use credential::WantedForm;
pub use credential::{CompressedForm, Credential};
pub use prepared::PreparedClient;
pub(crate) use prepared::Told;

use crate::defaults;
use crate::extension::ticket_request::TicketRequest;
use crate::session::Psk;
use crate::suite::{CipherSuite, ProtocolVersion};

/// Whether a server asks for a client certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Not asked for.
    #[default]
    None,
    /// Asked for; a client without one is welcome.
    Optional,
    /// A client without one is refused: certificate_required (TLS 1.2: handshake_failure).
    Required,
}

/// Where the machine's random values come from.
#[derive(Debug, Default)]
pub enum Randomness {
    /// The operating system's generator, through the cryptographic library.
    #[default]
    System,
    /// Given values, for recorded handshakes. Never use it for traffic: nothing is secret then.
    Recorded(Recorded),
}

/// Values of a recorded handshake.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Hello random.
    pub random: [u8; 32],
    /// legacy_session_id of a client.
    pub session_id: Vec<u8>,
    /// Private keys of key exchange, used in the order in which shares of that group are made.
    pub private_keys: Vec<(NamedGroup, Vec<u8>)>,
}

/// What both roles are told.
#[derive(Debug)]
pub struct Common {
    /// Lowest version spoken.
    pub min_version: ProtocolVersion,
    /// Highest version spoken.
    pub max_version: ProtocolVersion,
    /// Suites of all versions, in order of preference; those of versions outside the range mean nothing.
    pub suites: Vec<CipherSuite>,
    /// Groups, in order of preference.
    pub groups: Vec<NamedGroup>,
    /// Schemes that the peer may sign with, in order of preference.
    pub verify_schemes: Vec<SignatureScheme>,
    /// Schemes accepted inside certificates (signature_algorithms_cert), when they differ. A TLS 1.2 server cannot say so:
    /// its CertificateRequest has one list for both, which is that of `verify_schemes` (RFC 5246 section 7.4.4), and who
    /// sees more there than we verify might sign with it.
    pub certificate_schemes: Option<Vec<SignatureScheme>>,
    /// Application protocols, in order of preference.
    pub alpn: Vec<Vec<u8>>,
    /// Largest handshake message to hold, bytes with header.
    pub max_message: u32,
    /// Most certificates of a chain to take.
    pub max_chain: usize,
    /// The outcome carries the exporter.
    pub exporter: bool,
    /// TLS 1.2: refuse peers without extended_master_secret (RFC 7627). Without it a master secret is not bound to the
    /// certificates of its handshake, and whoever sits between can make two connections share one (the triple handshake
    /// attack): such connections never export, and are not resumed unless
    /// [`resume_unbound_sessions`](Self::resume_unbound_sessions) says so.
    pub require_extended_master_secret: bool,
    /// TLS 1.2: keep and resume sessions made without extended_master_secret, too, with peers that do not have it (RFC
    /// 7627 sections 5.3 and 5.4, which advise against it). None that a client has shown a certificate in, or was asked
    /// for one at a server: who that client is must not be taken over by a connection that somebody else may share.
    pub resume_unbound_sessions: bool,
    /// Secrets come out as KeyLog (RFC 9850).
    pub key_log: bool,
    /// Our record_size_limit (RFC 8449), 64 to 16,385; `None`: not sent.
    pub record_size_limit: Option<u16>,
    /// Ask for OCSP responses. Ours are stapled whenever the peer asks and the credential has one.
    pub ocsp: bool,
    /// Ask for SCT lists. Ours are sent whenever the peer asks and the credential has one.
    pub sct: bool,
    /// Certificate compression algorithms that are offered to the peer (RFC 8879), in order of preference: for each,
    /// whoever drives the machine answers [`Decompress`](crate::need::Decompress).
    pub decompress: Vec<u16>,
    /// Where random values come from.
    pub randomness: Randomness,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            min_version: ProtocolVersion::TLS1_3,
            max_version: ProtocolVersion::TLS1_3,
            suites: defaults::SUITES.to_vec(),
            groups: defaults::GROUPS.to_vec(),
            verify_schemes: defaults::VERIFY_SCHEMES.to_vec(),
            certificate_schemes: None,
            alpn: Vec::new(),
            max_message: defaults::MAX_MESSAGE,
            max_chain: defaults::MAX_CHAIN,
            exporter: true,
            require_extended_master_secret: true,
            resume_unbound_sessions: false,
            key_log: false,
            record_size_limit: None,
            ocsp: false,
            sct: false,
            decompress: Vec::new(),
            randomness: Randomness::System,
        }
    }
}

impl Common {
    /// Whether this version can be spoken: it is in the range, and there is a suite for it.
    #[must_use]
    pub fn speaks(&self, version: ProtocolVersion) -> bool {
        let has_suite = |suite: &CipherSuite| match version {
            ProtocolVersion::TLS1_3 => suite.tls13().is_some(),
            ProtocolVersion::TLS1_2 => suite.tls12().is_some(),
            _ => false,
        };
        (self.min_version..=self.max_version).contains(&version) && self.suites.iter().any(has_suite)
    }
}

/// Which key shares a client sends at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyShares {
    /// The most preferred group and, if that is a hybrid, the most preferred classic one as well.
    Automatic,
    /// Exactly these, each among the groups, in their order; empty asks for a HelloRetryRequest.
    Exactly(Vec<NamedGroup>),
}

/// What a client machine is told.
#[derive(Debug)]
pub struct ClientHandshake {
    /// What both roles are told. Shared between the connections of one configuration.
    pub common: Arc<Common>,
    /// The DNS name to send (SNI); `None` for addresses or when switched off.
    pub server_name: Option<String>,
    /// Key shares to send at first.
    pub key_shares: KeyShares,
    /// Look like TLS 1.2 to middleboxes (RFC 9846 appendix E.4); no effect over QUIC.
    pub compatibility_mode: bool,
    /// TLS 1.2: refuse servers without renegotiation_info (RFC 5746). Such a server can be made to take our whole
    /// handshake for a renegotiation of somebody else's connection, what was sent there for the beginning of what we
    /// send; no client would see it.
    pub require_renegotiation_info: bool,
    /// Authorities to name to the server (certificate_authorities), DER names.
    pub authorities: Vec<Vec<u8>>,
    /// Send values that mean nothing among those that do, so that servers keep ignoring what they do not know
    /// (RFC 8701).
    pub grease: bool,
    /// Send the hello's extensions in an order of its own for each connection, so that no server and nothing between
    /// comes to rely on one. Without effect on a recorded handshake.
    pub shuffle_extensions: bool,
    /// Sessions are wanted: psk_dhe_ke is offered and what servers send comes out, by `StoreSession` after the
    /// handshake (TLS 1.3) or in the outcome (TLS 1.2).
    pub resumption: bool,
    /// The session to offer. Who it was made with, and under which policy, has been checked again by whoever sets it.
    ///
    /// A session that does not fit makes no error but a full handshake, with nothing of the session in it: one of
    /// another name than `server_name` (unless its ticket allows
    /// [others](crate::session::Session::resumption_across_names)), past its time, of a version or suite that is not
    /// offered (over QUIC: of TLS 1.2), of TLS 1.2 without extended_master_secret (unless the configuration
    /// [resumes those](Common::resume_unbound_sessions)), or that goes by a ticket of TLS 1.2 without `tls12_tickets`.
    pub session: Option<Arc<Psk>>,
    /// Ask [`VerifyPeer`](crate::need::VerifyPeer) about the session's certificates when the server resumes it, before
    /// anything of ours follows: with it a server whose certificate was revoked, or is not trusted any more, gets no
    /// further than in a full handshake. Early data (RFC 9846 section 2.3) is sent before any answer of the server and
    /// so before this; whoever sets the session judges it for that. A session without certificates is not offered.
    pub verify_resumed: bool,
    /// Offer early data, if the session allows some and its application protocol is still offered.
    pub early_data: bool,
    /// How many tickets to ask for (RFC 9149), if sessions are wanted.
    pub ticket_request: Option<TicketRequest>,
    /// TLS 1.2: take tickets too (RFC 5077), besides session IDs. Whoever steals the key that a server seals them
    /// under reads every recorded TLS 1.2 session that had one.
    pub tls12_tickets: bool,
}

/// What a server machine is told, by the answer to ChooseConfig.
#[derive(Clone, Debug)]
pub struct ServerHandshake {
    /// What both roles are told.
    pub common: Arc<Common>,
    /// Whether a client certificate is asked for.
    pub client_auth: ClientAuth,
    /// Authorities to name in CertificateRequest, DER names.
    pub authorities: Vec<Vec<u8>>,
    /// Prefer our order of suites and groups (the default) or the client's.
    pub prefer_client_order: bool,
    /// Application data may be sent before the client's Finished.
    pub half_rtt: bool,
    /// Plaintext bytes of early data to skip, or to take.
    pub max_early_data: u32,
    /// No application protocol in common is a failure (the default) or ignored.
    pub alpn_required: bool,
    /// Sessions are made, and looked for when a client offers some (`FindSession`); without, every handshake is full.
    pub resumption: bool,
    /// TLS 1.2: sessions go by tickets (RFC 5077, `SealTicket`) to clients that take them. Whoever steals the key that
    /// they are sealed under reads every recorded TLS 1.2 session that had one: in that version a ticket holds the
    /// secret of the connection that it was made in.
    pub tls12_tickets: bool,
    /// TLS 1.3: every ticket says that its session is resumed under other names of our certificate, too
    /// (draft-ietf-tls-cross-sni-resumption), and it is; early data is of the session's own name.
    pub resumption_across_names: bool,
    /// Early data may be taken, up to `max_early_data`, if `AcceptSession` is answered so.
    pub early_data: bool,
    /// How far a ticket's age as the client has it may lie from ours for early data to be taken (RFC 9846 section 8.3).
    pub max_age_skew: Duration,
    /// Most tickets that a client of TLS 1.3 gets, however many it asks for (RFC 9149 section 3): no more are ever
    /// announced.
    pub max_tickets: u8,
    /// When to tell the client which groups we have (supported_groups in EncryptedExtensions).
    pub announce_groups: AnnounceGroups,
    /// When another key share is worth a round trip.
    pub retry: Retry,
    /// Send values that mean nothing in CertificateRequest and in tickets, so that clients keep ignoring what they do
    /// not know (RFC 8701).
    pub grease: bool,
}

/// When a server asks for another key share by a HelloRetryRequest (RFC 9846 section 4.3.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retry {
    /// When the client sent no share that can be used.
    #[default]
    WhenNeeded,
    /// Also when both have a post-quantum group and the client sent a share of none.
    ForPostQuantum,
    /// Also when both have a group that is preferred to those that the client sent shares of.
    ForPreference,
}

/// When a server sends its supported_groups, which a client may use to choose its key shares the next time
/// (RFC 9846 section 4.3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnnounceGroups {
    /// When another group is preferred to the one that is used.
    #[default]
    WhenAnotherIsPreferred,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Default for ServerHandshake {
    fn default() -> Self {
        Self {
            common: Arc::default(),
            client_auth: ClientAuth::None,
            authorities: Vec::new(),
            prefer_client_order: false,
            half_rtt: false,
            max_early_data: defaults::MAX_EARLY_DATA,
            alpn_required: true,
            resumption: false,
            tls12_tickets: false,
            resumption_across_names: false,
            early_data: false,
            max_age_skew: defaults::MAX_AGE_SKEW,
            max_tickets: defaults::MAX_TICKETS,
            announce_groups: AnnounceGroups::WhenAnotherIsPreferred,
            retry: Retry::WhenNeeded,
            grease: false,
        }
    }
}

impl Default for ClientHandshake {
    fn default() -> Self {
        Self {
            common: Arc::default(),
            server_name: None,
            key_shares: KeyShares::Automatic,
            compatibility_mode: true,
            require_renegotiation_info: true,
            authorities: Vec::new(),
            grease: false,
            shuffle_extensions: true,
            resumption: false,
            session: None,
            verify_resumed: false,
            early_data: false,
            ticket_request: None,
            tls12_tickets: false,
        }
    }
}
