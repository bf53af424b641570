//! Events for `tracing`: which there are, the crate's documentation says. Without the feature every function here is
//! empty and nothing of it is compiled in.
#![cfg_attr(
    not(feature = "tracing"),
    allow(unused_variables, reason = "nothing is said without the feature")
)]

use oxtls_handshake::alert::AlertDescription;
#[cfg(feature = "tracing")]
use oxtls_handshake::message::server_hello::HELLO_RETRY_REQUEST_RANDOM;
#[cfg(feature = "tracing")]
use oxtls_handshake::message::{self, HandshakeType};
use oxtls_handshake::need::{Answer, Need};
use oxtls_handshake::outcome::Outcome;
use oxtls_handshake::step::{Direction, KeyChange, Level};

use crate::error::Error;

#[cfg(feature = "tracing")]
macro_rules! event {
    ($level:ident, $target:literal, $($fields:tt)+) => {
        tracing::event!(target: $target, tracing::Level::$level, $($fields)+)
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($($fields:tt)+) => {};
}

/// Handshake messages of ours are on their way, one behind the other.
#[inline]
pub(crate) fn messages_sent(flight: &[u8], level: Level) {
    #[cfg(feature = "tracing")]
    message::each(flight).for_each(|message| message_sent(message, level));
}

/// A handshake message of ours is on its way.
#[inline]
pub(crate) fn message_sent(bytes: &[u8], level: Level) {
    event!(DEBUG, "oxtls::handshake", name = %name(bytes), ?level, bytes = bytes.len(), "sent");
}

/// A handshake message came in whole; it has not been looked at.
#[inline]
pub(crate) fn message_received(bytes: &[u8], level: Level) {
    event!(DEBUG, "oxtls::handshake", name = %name(bytes), ?level, bytes = bytes.len(), "received");
}

/// A ChangeCipherSpec of ours is on its way.
#[inline]
pub(crate) fn change_cipher_spec_sent() {
    event!(DEBUG, "oxtls::handshake", name = "ChangeCipherSpec", "sent");
}

/// A ChangeCipherSpec came that means something: TLS 1.3 passes its own over (RFC 9846 section 5).
#[inline]
pub(crate) fn change_cipher_spec_received() {
    event!(DEBUG, "oxtls::handshake", name = "ChangeCipherSpec", "received");
}

/// The handshake is complete.
#[inline]
pub(crate) fn done(outcome: &Outcome) {
    #[cfg(feature = "tracing")]
    let group = outcome.group.map(tracing::field::display);
    event!(
        DEBUG,
        "oxtls::handshake",
        version = %outcome.version,
        suite = %outcome.suite,
        group,
        "done"
    );
}

/// The configuration is asked, or the caller.
#[inline]
pub(crate) fn asked(need: &Need, caller: bool) {
    event!(
        DEBUG,
        "oxtls::decision",
        name = need.name(),
        of = if caller { "caller" } else { "configuration" },
        "asked"
    );
}

/// Whoever was asked has answered.
#[inline]
pub(crate) fn answered(answer: &Answer) {
    event!(DEBUG, "oxtls::decision", name = answer.name(), "answered");
}

/// A key is in use from here on.
#[inline]
pub(crate) fn key_installed(change: &KeyChange) {
    event!(
        DEBUG,
        "oxtls::keys",
        direction = ?change.direction,
        level = ?change.level,
        suite = %change.suite,
        "installed"
    );
}

/// The key of this direction has given way to its successor.
#[inline]
pub(crate) fn key_updated(direction: Direction) {
    event!(DEBUG, "oxtls::keys", ?direction, "updated");
}

/// An alert of ours waits to be transmitted.
#[inline]
pub(crate) fn alert_sent(alert: AlertDescription) {
    event!(DEBUG, "oxtls::alert", name = alert.name(), code = alert.0, "sent");
}

/// The peer sent an alert.
#[inline]
pub(crate) fn alert_received(alert: AlertDescription) {
    event!(DEBUG, "oxtls::alert", name = alert.name(), code = alert.0, "received");
}

/// Our close_notify waits to be transmitted.
#[inline]
pub(crate) fn close_sent() {
    event!(DEBUG, "oxtls::close", "sent");
}

/// The peer's close_notify came.
#[inline]
pub(crate) fn close_received() {
    event!(DEBUG, "oxtls::close", "received");
}

/// The connection has failed, for this reason, which is handed on.
#[inline]
pub(crate) fn failed(error: Error) -> Error {
    event!(INFO, "oxtls::close", reason = %error, "failed");
    error
}

/// The name of a whole message, HelloRetryRequest told from ServerHello.
#[cfg(feature = "tracing")]
fn name(message: &[u8]) -> &'static str {
    let Some(typ) = message.first().copied().map(HandshakeType) else { return "nothing" };
    let retry = typ == HandshakeType::SERVER_HELLO
        && message.get(6..38) == Some(HELLO_RETRY_REQUEST_RANDOM.as_slice());
    if retry { "HelloRetryRequest" } else { typ.name().unwrap_or("unknown") }
}
