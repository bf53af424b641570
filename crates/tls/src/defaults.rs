//! Every policy number of this crate, with its source.

use std::time::Duration;

/// How long a handshake may take from the connection's making to its end. Long enough for a key in a remote service,
/// short enough that stalled peers do not pile up; BoringSSL, OpenSSL and rustls leave this to every caller.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Warning alerts to ignore before the peer's version is known, or user_canceled alerts after (RFC 9846 section 6.1
/// says to ignore them, not how many): more are a way to keep us busy.
pub const MAX_WARNING_ALERTS: u8 = 4;

/// KeyUpdates in a row without application data between them. RFC 9846 section 4.7.3 bounds updates only at
/// 2^48; each costs a key derivation, and no sane peer sends two without data between.
pub const MAX_KEY_UPDATES_IN_A_ROW: u8 = 32;

/// Most times that a write key is replaced on one connection (RFC 9846 section 4.7.3). The section forbids receivers to
/// hold senders to it.
pub const MAX_KEY_UPDATES: u64 = (1 << 48) - 1;

/// Post-handshake messages other than KeyUpdate in a row without application data between them: tickets come a few
/// at a time.
pub const MAX_TICKETS_IN_A_ROW: u8 = 32;

/// Records that a client takes without a ticket among them before it waits for no more: servers send their tickets with
/// the end of the handshake, before their data or amid its beginning.
pub const RECORDS_BEFORE_TICKETS: u64 = 16;

/// How long one ticket key seals. Tickets live for a day by default, which is two periods: so long a key opens after it
/// has ceased to seal.
pub const TICKET_KEY_PERIOD: Duration = Duration::from_secs(12 * 60 * 60);

/// Tickets after a full handshake: clients that open two connections at once, as browsers do, have one for each. As
/// BoringSSL, OpenSSL and rustls.
pub const TICKETS: u8 = 2;

/// Most tickets that a client can wish for (RFC 9149 leaves it to us): each costs a seal and some 300 bytes.
pub const MOST_TICKETS: u8 = 8;

/// How long after the peers last signed a session may go on to be resumed. RFC 9846 section 4.7.1 limits each ticket
/// to seven days, and not what a chain of them adds up to: without a cap a client that comes back in time is never
/// asked for its certificate again.
pub const MAX_SINCE_VERIFIED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Sessions of TLS 1.2 that a server keeps: some 300 KiB when all are there.
pub const STORED_SESSIONS: usize = 1024;

/// Servers whose sessions a client keeps.
pub const CACHED_SERVERS: usize = 256;

/// Certificate signatures that a configuration remembers: 35 KiB. As many peers as a server keeps sessions of, or a client
/// speaks to; of more, those that come least often are verified anew.
pub const REMEMBERED_SIGNATURES: usize = 1024;

/// How long a replay guard remembers: longer than a hello can look fresh at twice the largest age skew that is allowed
/// by default, which is 20 seconds.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(30);
