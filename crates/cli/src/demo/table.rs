//! The table, a row at a time.

use crate::demo::session::Session;
use crate::terminal::{OutputError, out};

/// Prints the head of the table.
pub(crate) fn head() -> Result<(), OutputError> {
    out(format_args!(
        "{:<8} {:<28} {:<19} {:<5} {:<16} {:<16} {:>10} {:>10} {:>9}",
        "version", "suite", "group", "alpn", "server is", "client is", "bytes up", "bytes down", "handshake"
    ))
}

/// Prints a session.
pub(crate) fn row(session: &Session) -> Result<(), OutputError> {
    out(format_args!(
        "{:<8} {:<28} {:<19} {:<5} {:<16} {:<16} {:>10} {:>10} {:>6} us",
        session.version.to_string(),
        session.suite.to_string(),
        session.group,
        session.alpn,
        session.server,
        session.client,
        session.up,
        session.down,
        session.handshake.as_micros(),
    ))
}
