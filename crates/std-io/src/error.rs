//! What goes wrong with a stream, and where the connection's own error is inside.

use std::fmt;
use std::io::{self, ErrorKind};

use oxtls::{Error, SealError};

/// The [`oxtls::Error`] in an error of a [`Stream`](crate::Stream), if the connection is what failed.
#[must_use]
pub fn tls_error(error: &io::Error) -> Option<&Error> {
    let inner = error.get_ref()?;
    match inner.downcast_ref::<Broken>() {
        Some(broken) => Some(&broken.connection),
        None => inner.downcast_ref(),
    }
}

/// The transport cannot go on now and may later; read and write timeouts of blocking sockets among it.
pub(crate) fn is_for_now(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The peer is gone, or reads no more. What it sent before may still be there.
pub(crate) fn is_gone(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

pub(crate) fn seal_failed(error: SealError) -> io::Error {
    let kind = match error {
        SealError::Closed | SealError::Failed => ErrorKind::BrokenPipe,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// The handshake stands still until its caller answers a [`Need`](oxtls::Need); see [`Stream::take_need`](crate::Stream::take_need).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedWaits;

impl fmt::Display for NeedWaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the handshake waits for a decision of its caller")
    }
}

impl std::error::Error for NeedWaits {}

/// The transport broke, and with it the connection.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) connection: Error,
    pub(crate) transport: io::Error,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.connection, self.transport)
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.transport)
    }
}
