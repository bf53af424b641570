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

/// Post-handshake messages other than KeyUpdate in a row without application data between them: tickets come a few
/// at a time.
pub const MAX_TICKETS_IN_A_ROW: u8 = 32;
