//! Every policy number and list of this crate, with its source.

use core::time::Duration;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::suite::CipherSuite;

/// Suites in order of preference (RFC 9846 section 9.1). AES-128 first: as strong as its key exchange, and fastest
/// where AES is in hardware, as it is on every server this was measured on.
pub const SUITES: &[CipherSuite] = &[
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
];

/// Suites in order of preference where TLS 1.2 is spoken beside TLS 1.3, or alone: ECDHE with AEADs only (RFC 9325
/// section 4.2), in the order of TLS 1.3's.
pub const SUITES_TLS12: &[CipherSuite] = &[
    CipherSuite::TLS_AES_128_GCM_SHA256,
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// Groups in order of preference: post-quantum hybrids first (draft-ietf-tls-ecdhe-mlkem), then RFC 9846 section 9.1.
pub const GROUPS: &[NamedGroup] = &[
    NamedGroup::X25519_MLKEM768,
    NamedGroup::SECP256R1_MLKEM768,
    NamedGroup::SECP384R1_MLKEM1024,
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::SECP384R1,
    NamedGroup::SECP521R1,
];

/// Schemes that a peer may sign with (RFC 9846 section 4.3.3).
pub const VERIFY_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PSS_PSS_SHA256,
    SignatureScheme::RSA_PSS_PSS_SHA384,
    SignatureScheme::RSA_PSS_PSS_SHA512,
    SignatureScheme::ML_DSA_44,
    SignatureScheme::ML_DSA_65,
    SignatureScheme::ML_DSA_87,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
];

/// Largest handshake message to hold, bytes with header: room for chains with post-quantum signatures.
pub const MAX_MESSAGE: u32 = 128 * 1024;

/// Largest ClientHello to take, bytes with header: hybrids, long ticket lists and ECH stay far below.
pub const MAX_CLIENT_HELLO: u32 = 64 * 1024;

/// Largest message to hold where only a Finished (68 bytes at most) or a KeyUpdate (5) can come, bytes with header. What
/// is unfinished is held for as long as the peer likes, and an idle connection can last for days. Some room is left, so
/// that most messages that do not belong there are called that, and not too long.
pub const MAX_SHORT_MESSAGE: u32 = 4 * 1024;

/// Largest NewSessionTicket to take, bytes with header: tickets that hold a client's chain fit.
pub const MAX_TICKET_MESSAGE: u32 = 32 * 1024;

/// Most HelloRequests of a TLS 1.2 server to pass over: one that asks again and again only costs time.
pub const MAX_HELLO_REQUESTS: u8 = 16;

/// Most certificates of a chain to take.
pub const MAX_CHAIN: usize = 16;

/// Early data to take, or to skip when 0-RTT is refused, plaintext bytes. As BoringSSL's: with what records add, no more
/// than 16 KiB of what nobody can read is passed over.
pub const MAX_EARLY_DATA: u32 = 14 * 1024;

/// How long a ticket may be used: a day is what session caches and rotating ticket keys commonly live; the protocol
/// allows seven (RFC 9846 section 4.7.1).
pub const TICKET_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Bytes of record payload to pass over for `max_early_data` bytes of early data that are refused: room for the type
/// byte and the tag of records down to 128 bytes, and never less than for [`MAX_EARLY_DATA`], since the ticket may come
/// from a configuration that allowed more than this one.
#[must_use]
pub fn early_data_skip(max_early_data: u32) -> u32 {
    let data = max_early_data.max(MAX_EARLY_DATA);
    data.saturating_add(data.div_euclid(7))
}

/// How long a TLS 1.2 session may be used by its ID: a day at most, says RFC 5246 appendix F.1.4.
pub const SESSION_ID_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How far a ticket's age as the client has it may lie from ours for early data to be taken (RFC 9846 section 8.3 leaves
/// it to us: on the Internet most clocks agree within ten seconds).
pub const MAX_AGE_SKEW: Duration = Duration::from_secs(10);

/// How far the clock that a session was made by may be ahead of the one that it is judged by: five minutes of error
/// either way, as far apart as the machines of a fleet get before somebody notices. Beyond, a clock has stepped back, and
/// the session could live for as much longer than it was given.
pub const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(10 * 60);

/// Most PSK identities of a hello that are looked at; the rest might as well not be there. Clients send one or two.
pub const MAX_PSK_IDENTITIES: usize = 8;

/// Longest ticket that is looked at or kept, bytes: one that holds a client's whole chain.
pub const MAX_TICKET: usize = 32 * 1024;

/// Tickets that a TLS 1.3 server sends to a client that does not say how many it wants: two, so that a client that uses
/// each of them once can open two connections at a time.
pub const TICKETS: u8 = 2;

/// Most tickets that a client can ask for (RFC 9149 section 3 has servers set a limit): browsers open six connections at
/// a time.
pub const MAX_TICKETS: u8 = 8;
