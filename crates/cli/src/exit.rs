//! How the command ends: its exit codes, and the errors behind them.

use std::fmt;
use std::io;

use oxtls::{ConfigError, ErrorKind};
use oxtls_std::tls_error;

use crate::terminal::{self, OutputError};

/// The exit codes, for every help.
pub(crate) const TABLE: &str = "\
EXIT CODES
    0   it worked: handshake done, data exchanged, both sides closed in order
    1   something here did not work: a file, standard output, a signing key
    2   the command line was not understood, or asks for what does not go together
    3   no connection: the name did not resolve, TCP was refused or timed out; nothing to listen on
    4   the handshake failed
    5   the peer's certificate was refused
    6   the session broke after the handshake: an alert of the peer's (in TLS 1.3 also its word on our
        certificate), records that are no good, a reset, data that the peer would not take
    7   the peer's data was cut short: the transport ended without close_notify
";

/// An exit code other than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something here.
    Failed,
    /// The command line.
    Usage,
    /// No connection.
    Unreachable,
    /// The handshake.
    Handshake,
    /// We refuse the peer's certificate.
    CertificateRefused,
    /// The session, after the handshake.
    Broken,
    /// No close_notify.
    Truncated,
}

impl Exit {
    /// The code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Handshake => 4,
            Self::CertificateRefused => 5,
            Self::Broken => 6,
            Self::Truncated => 7,
        }
    }
}

/// Why the command did not work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code to exit with.
    pub(crate) exit: Exit,
    /// For standard error; empty where there is nobody to tell.
    pub(crate) message: String,
}

impl Failure {
    /// A failure of this code, with a sentence.
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    /// The command line asks for something that cannot be.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something here did not work.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The demo failed: a session did not end as it must, or nobody reads the table.
    pub(crate) fn of_demo(error: Box<dyn std::error::Error>) -> Self {
        match error.downcast::<OutputError>() {
            Ok(error) => (*error).into(),
            Err(error) => Self::failed(error),
        }
    }

    /// A handshake or session over a stream failed.
    pub(crate) fn of_stream(error: &io::Error, handshaking: bool) -> Self {
        match tls_error(error) {
            Some(tls) if matches!(tls.kind(), ErrorKind::Reset) => {
                Self { message: error.to_string(), ..Self::of_session(tls, handshaking) }
            }
            Some(tls) => Self::of_session(tls, handshaking),
            None => {
                let exit = if handshaking { Exit::Handshake } else { Exit::Broken };
                Self::new(exit, format_args!("the transport failed: {error}"))
            }
        }
    }

    /// A connection failed. `handshaking`: before its handshake was done here.
    pub(crate) fn of_session(error: &oxtls::Error, handshaking: bool) -> Self {
        let exit = match error.kind() {
            _ if error.certificate_report().is_some() => Exit::CertificateRefused,
            _ if handshaking => Exit::Handshake,
            ErrorKind::Truncated { .. } => Exit::Truncated,
            _ => Exit::Broken,
        };
        Self::new(exit, error)
    }
}

impl From<OutputError> for Failure {
    /// Whoever read our standard output may have gone: nothing is said then, as with any command in a pipe.
    fn from(error: OutputError) -> Self {
        match error.0.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Failed, ""),
            _ => Self::failed(error),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::usage(error)
    }
}

impl From<ConfigError> for Failure {
    /// What the options ask for together is a matter of the command line, what is in a file is not.
    fn from(error: ConfigError) -> Self {
        let exit = match error {
            ConfigError::Missing(_) | ConfigError::Invalid(_) | ConfigError::Handshake(_) => Exit::Usage,
            _ => Exit::Failed,
        };
        Self::new(exit, error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&terminal::text(&self.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_in_the_table() {
        for exit in [
            Exit::Failed,
            Exit::Usage,
            Exit::Unreachable,
            Exit::Handshake,
            Exit::CertificateRefused,
            Exit::Broken,
            Exit::Truncated,
        ] {
            assert!(TABLE.contains(&format!("\n    {}   ", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_told_nothing() {
        let failure = |kind: io::ErrorKind| Failure::from(OutputError(kind.into()));
        assert_eq!(failure(io::ErrorKind::BrokenPipe).message, "");
        assert_ne!(failure(io::ErrorKind::StorageFull).message, "");
    }
}
