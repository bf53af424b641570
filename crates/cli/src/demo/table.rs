//! The tables, a row at a time: one a version, since the suites of TLS 1.2 have much longer names.

use oxtls::ProtocolVersion;

use crate::demo::session::Session;
use crate::terminal::{OutputError, out};

/// Columns of a suite's name.
const fn suite_columns(version: ProtocolVersion) -> usize {
    match version {
        ProtocolVersion::TLS1_2 => 45,
        _ => 28,
    }
}

/// Prints the head of a version's table.
pub(crate) fn head(version: ProtocolVersion) -> Result<(), OutputError> {
    let columns = suite_columns(version);
    out(format_args!(
        "{:<8} {:<columns$} {:<19} {:<5} {:<16} {:<16} {:>10} {:>10} {:>9}",
        "version", "suite", "group", "alpn", "server is", "client is", "bytes up", "bytes down", "handshake"
    ))
}

/// Prints a session.
pub(crate) fn row(session: &Session) -> Result<(), OutputError> {
    let columns = suite_columns(session.version);
    out(format_args!(
        "{:<8} {:<columns$} {:<19} {:<5} {:<16} {:<16} {:>10} {:>10} {:>6} us",
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
