//! What ended a connection, whose fault it is, and the alert that says so.

use std::fmt;

use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::error::Fault;
use oxtls_record::RecordError;

/// Why a connection failed. Boxed: results stay small on the path where nothing fails.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    sent: Option<AlertDescription>,
}

/// What failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The handshake, or a message after it.
    Handshake(oxtls_handshake::error::Error),
    /// A record.
    Record(RecordError),
    /// The peer sent a fatal alert.
    AlertReceived {
        /// Which.
        alert: AlertDescription,
        /// Before the handshake was complete here.
        handshaking: bool,
    },
    /// The peer closed before the handshake was complete: nothing was exchanged.
    ClosedDuringHandshake,
    /// The transport ended without close_notify: what was received may have been cut short by an attacker.
    Truncated {
        /// Before the handshake was complete.
        handshaking: bool,
        /// In the middle of a record.
        inside_record: bool,
    },
    /// The transport broke.
    Reset,
    /// The peer floods us with messages that cost work and carry nothing.
    Flood(&'static str),
    /// The connection has failed before; this call can do nothing.
    Failed,
    /// The other half of a split connection has failed.
    OtherHalfFailed,
    /// An answer, or another call, that does not fit the state.
    Misuse(&'static str),
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, sent: None }))
    }

    pub(crate) fn with_alert(kind: ErrorKind, sent: AlertDescription) -> Self {
        Self(Box::new(Inner { kind, sent: Some(sent) }))
    }

    /// What failed.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The alert that was queued for the peer, if any.
    #[must_use]
    pub fn alert_sent(&self) -> Option<AlertDescription> {
        self.0.sent
    }

    /// The alert that the peer sent, if that is what failed.
    #[must_use]
    pub fn alert_received(&self) -> Option<AlertDescription> {
        match self.0.kind {
            ErrorKind::AlertReceived { alert, .. } => Some(alert),
            _ => None,
        }
    }

    /// The report on the peer's certificates, if they are what failed.
    #[must_use]
    pub fn certificate_report(&self) -> Option<&oxtls_x509::Report> {
        match &self.0.kind {
            ErrorKind::Handshake(oxtls_handshake::error::Error::Refused { cause, .. }) => {
                cause.downcast_ref()
            }
            _ => None,
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match &self.0.kind {
            ErrorKind::Handshake(error) => error.fault(),
            ErrorKind::Record(error) if error.alert() == AlertDescription::INTERNAL_ERROR.0 => {
                Fault::Internal
            }
            ErrorKind::Record(_)
            | ErrorKind::ClosedDuringHandshake
            | ErrorKind::Truncated { .. }
            | ErrorKind::Reset
            | ErrorKind::Flood(_) => Fault::Peer,
            ErrorKind::AlertReceived { alert, .. } => fault_of_received(*alert),
            ErrorKind::Failed | ErrorKind::OtherHalfFailed | ErrorKind::Misuse(_) => Fault::Local,
        }
    }
}

/// An alert says what its sender thinks of us: of the versions, suites and certificates that we offered, or of a rule
/// that it thinks we broke.
fn fault_of_received(alert: AlertDescription) -> Fault {
    match alert {
        AlertDescription::HANDSHAKE_FAILURE
        | AlertDescription::PROTOCOL_VERSION
        | AlertDescription::INSUFFICIENT_SECURITY
        | AlertDescription::NO_APPLICATION_PROTOCOL => Fault::Incompatible,
        AlertDescription::INTERNAL_ERROR | AlertDescription::USER_CANCELED => Fault::Peer,
        _ => Fault::Local,
    }
}

/// What a user can do about an alert that the peer sent.
fn advice(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CERTIFICATE_REQUIRED => {
            ": it requires a client certificate; configure a credential"
        }
        AlertDescription::UNKNOWN_CA => ": it does not trust the authority that issued our certificate",
        AlertDescription::BAD_CERTIFICATE
        | AlertDescription::UNSUPPORTED_CERTIFICATE
        | AlertDescription::CERTIFICATE_UNKNOWN => ": it does not accept our certificate",
        AlertDescription::CERTIFICATE_EXPIRED => ": our certificate has expired, or its clock is wrong",
        AlertDescription::CERTIFICATE_REVOKED => ": our certificate was revoked",
        AlertDescription::UNRECOGNIZED_NAME => ": it has no server of the name we asked for",
        AlertDescription::NO_APPLICATION_PROTOCOL => {
            ": it has none of the application protocols (ALPN) we offered"
        }
        AlertDescription::PROTOCOL_VERSION => ": it does not speak any TLS version that we offered",
        AlertDescription::HANDSHAKE_FAILURE => {
            ": no suite, group or signature scheme in common (CBC, RC4, RSA and finite-field key exchange are never \
             offered), or a credential is missing"
        }
        AlertDescription::ACCESS_DENIED => ": our certificate is valid, but access is refused",
        AlertDescription::DECRYPT_ERROR => {
            ": our signature or Finished did not verify there; does the key match the certificate?"
        }
        _ => "",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            ErrorKind::Handshake(error) => write!(f, "{error}"),
            ErrorKind::Record(error) => write!(f, "{error}"),
            ErrorKind::AlertReceived { alert, handshaking } => {
                let phase = if *handshaking { " during the handshake" } else { "" };
                write!(f, "the peer sent the alert {alert}{phase}{}", advice(*alert))
            }
            ErrorKind::ClosedDuringHandshake => {
                f.write_str("the peer closed the connection (close_notify) during the handshake")
            }
            ErrorKind::Truncated { handshaking: true, .. } => {
                f.write_str("the transport ended during the handshake, without a word from the peer")
            }
            ErrorKind::Truncated { inside_record, .. } => {
                let place = if *inside_record { "in the middle of a record" } else { "between records" };
                write!(f, "the transport ended {place} without close_notify: the data may be cut short")
            }
            ErrorKind::Reset => f.write_str("the transport was reset"),
            ErrorKind::Flood(what) => write!(f, "the peer floods this connection with {what}"),
            ErrorKind::Failed => f.write_str("this connection has failed before"),
            ErrorKind::OtherHalfFailed => f.write_str("the other half of this connection has failed"),
            ErrorKind::Misuse(what) => f.write_str(what),
        }?;
        match self.0.sent {
            Some(alert) => write!(f, " (alert {alert} sent)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Handshake(error) => error.source(),
            ErrorKind::Record(error) => Some(error),
            _ => None,
        }
    }
}
