//! What went wrong, whose fault it is, and the alert that says so to the peer.

use core::fmt;

use oxtls_crypto::signature::SignatureScheme;

use crate::alert::AlertDescription;
use crate::extension::ExtensionType;
use crate::message::HandshakeType;
pub use crate::offered::{Mismatch, Offered};
use crate::suite::{CipherSuite, ProtocolVersion};

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The peer broke the protocol, or sent what does not verify.
    Peer,
    /// Both keep to the protocol but have nothing in common: one configuration or the other must change.
    Incompatible,
    /// Our own configuration or caller: a deadline, a cancellation, a key that cannot sign.
    Local,
    /// A bug or a broken platform (no randomness).
    Internal,
}

/// A cause from outside the machine: a refused certificate with its report, a broken record.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a handshake failed. [`Error::alert`] is what the peer is told, [`Error::fault`] whose fault it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A message or extension could not be parsed: `decode_error`.
    Malformed {
        /// Which field, in the RFC's words.
        what: &'static str,
    },
    /// A message that does not belong here: `unexpected_message`.
    UnexpectedMessage {
        /// What came.
        received: HandshakeType,
        /// What this state waits for.
        expected: &'static str,
    },
    /// A ChangeCipherSpec that does not belong here: `unexpected_message`.
    UnexpectedChangeCipherSpec,
    /// Bytes follow a message that ends a flight or changes keys, in the same record: `unexpected_message`.
    ExcessHandshakeData {
        /// The message that they follow.
        after: HandshakeType,
    },
    /// A message at the wrong encryption level (QUIC): `unexpected_message`.
    WrongLevel {
        /// The message.
        received: HandshakeType,
    },
    /// A field is wrong or contradicts another: `illegal_parameter`.
    IllegalParameter {
        /// Which, in the RFC's words.
        what: &'static str,
    },
    /// The server chose a cipher suite that was not offered, or another one than before: `illegal_parameter`.
    WrongCipherSuite(CipherSuite),
    /// A key share of a group that was not asked for or offered: `illegal_parameter`.
    WrongGroup,
    /// A key share of wrong length, form or value: `illegal_parameter`.
    BadKeyShare(oxtls_crypto::Error),
    /// The same extension twice in one message.
    DuplicateExtension {
        /// Which.
        typ: ExtensionType,
        /// The RFC names no alert. Peers expect `decode_error` in hellos and EncryptedExtensions and
        /// `illegal_parameter` elsewhere.
        alert: AlertDescription,
    },
    /// A known extension in a message where it may not be: `illegal_parameter`.
    ForbiddenExtension(ExtensionType),
    /// A response to an extension that was not sent: `unsupported_extension`.
    UnsupportedExtension(ExtensionType),
    /// A required extension is absent: `missing_extension`.
    MissingExtension(ExtensionType),
    /// A downgrade sentinel in ServerHello.random: somebody removed TLS 1.3 from the offer. `illegal_parameter`.
    Downgrade,
    /// The signature that should prove possession of the peer's key does not verify: `decrypt_error`.
    BadSignature,
    /// A signature scheme that was not offered, or is not the certificate key's: `illegal_parameter`.
    WrongSignatureScheme(SignatureScheme),
    /// A Finished MAC does not verify: `decrypt_error`.
    BadFinished,
    /// A PSK binder does not verify: `decrypt_error`.
    BadBinder,
    /// The key in the peer's certificate can't be used: `unsupported_certificate`.
    UnusableCertificateKey(oxtls_crypto::Error),
    /// The peer's certificate could not be read far enough to find its key: `decode_error`.
    UnreadableCertificate,
    /// The peer's compressed certificate could not be decompressed, or not to the length that it says:
    /// `bad_certificate` (RFC 8879 section 4).
    DecompressionFailed,
    /// No protocol version in common: `protocol_version`.
    NoCommonVersion {
        /// What the peer offers or chose, and what would have been taken.
        peer: Mismatch<ProtocolVersion>,
    },
    /// The server chose TLS 1.2 when early data of a TLS 1.3 session had been sent, which it cannot read: connect again
    /// without early data (RFC 9846 appendix E.3). `protocol_version`.
    EarlyDataBeforeTls12,
    /// No cipher suite in common: `handshake_failure`.
    NoCommonSuite {
        /// What the peer offers, and what would have been taken.
        peer: Mismatch<CipherSuite>,
    },
    /// No key exchange group in common: `handshake_failure`.
    NoCommonGroup {
        /// What the peer offers.
        peer: Offered<oxtls_crypto::key_exchange::NamedGroup>,
    },
    /// No certificate that the peer could verify, or none at all: `handshake_failure`.
    NoCommonSignatureScheme {
        /// What the peer accepts.
        peer: Offered<SignatureScheme>,
    },
    /// No application protocol in common: `no_application_protocol`.
    NoApplicationProtocol {
        /// What the peer offers.
        peer: Offered<Vec<u8>>,
    },
    /// TLS 1.2: the peer does not bind its master secret to the handshake (RFC 7627), which is required here:
    /// `handshake_failure`.
    NoExtendedMasterSecret,
    /// TLS 1.2: the server resumes a session that was made without extended_master_secret and says that it has it: it is
    /// not the session that we know (RFC 7627 section 5.3). `handshake_failure`.
    UnboundSession,
    /// TLS 1.2: renegotiation_info (RFC 5746) is missing, or not that of an initial handshake: `handshake_failure`.
    NoSecureRenegotiation,
    /// The client sent no certificate where one is required: `certificate_required` (1.2: `handshake_failure`).
    CertificateRequired {
        /// TLS 1.2 has no alert of its own for it.
        alert: AlertDescription,
    },
    /// TLS 1.2: the client says that it has fallen back from a version that we would speak: somebody between made it
    /// (RFC 7507). `inappropriate_fallback`.
    InappropriateFallback,
    /// TLS 1.2: the client wants to renegotiate: `no_renegotiation`.
    Renegotiation,
    /// The server refused our ECH, authenticated by its public name: `ech_required`.
    EchRequired,
    /// The peer broke a rule of TLS over QUIC (RFC 9001): PROTOCOL_VIOLATION rather than an alert.
    QuicViolation(&'static str),
    /// The outside refused the peer, or could not read from it; the alert is the outside's choice.
    Refused {
        /// The alert for the peer.
        alert: AlertDescription,
        /// Whose fault the outside says it is.
        fault: Fault,
        /// The report.
        cause: Cause,
    },
    /// The caller gave up: `user_canceled`.
    Canceled,
    /// The caller's deadline passed: `user_canceled`.
    DeadlineExceeded,
    /// The signing key failed or produced something unusable: `internal_error`.
    SigningFailed(Option<Cause>),
    /// The cryptographic library failed where it never should: `internal_error`.
    Crypto(oxtls_crypto::Error),
    /// A message of ours does not fit its length fields: too much was configured, or the server's cookie leaves no
    /// room for the rest of the ClientHello. `internal_error`.
    TooLong,
    /// A bug of ours: `internal_error`.
    Internal(&'static str),
}

impl Error {
    /// What the peer is told (RFC 9846 section 6.2).
    #[must_use]
    pub fn alert(&self) -> AlertDescription {
        match self {
            Self::Malformed { .. } | Self::UnreadableCertificate => AlertDescription::DECODE_ERROR,
            Self::UnexpectedMessage { .. }
            | Self::UnexpectedChangeCipherSpec
            | Self::ExcessHandshakeData { .. }
            | Self::WrongLevel { .. }
            | Self::QuicViolation(_) => AlertDescription::UNEXPECTED_MESSAGE,
            Self::IllegalParameter { .. }
            | Self::WrongCipherSuite(_)
            | Self::WrongGroup
            | Self::BadKeyShare(_)
            | Self::ForbiddenExtension(_)
            | Self::Downgrade
            | Self::WrongSignatureScheme(_) => AlertDescription::ILLEGAL_PARAMETER,
            Self::UnsupportedExtension(_) => AlertDescription::UNSUPPORTED_EXTENSION,
            Self::MissingExtension(_) => AlertDescription::MISSING_EXTENSION,
            Self::BadSignature | Self::BadFinished | Self::BadBinder => AlertDescription::DECRYPT_ERROR,
            Self::UnusableCertificateKey(_) => AlertDescription::UNSUPPORTED_CERTIFICATE,
            Self::DecompressionFailed => AlertDescription::BAD_CERTIFICATE,
            Self::NoCommonVersion { .. } | Self::EarlyDataBeforeTls12 => AlertDescription::PROTOCOL_VERSION,
            Self::NoCommonSuite { .. }
            | Self::NoCommonGroup { .. }
            | Self::NoCommonSignatureScheme { .. }
            | Self::NoExtendedMasterSecret
            | Self::UnboundSession
            | Self::NoSecureRenegotiation => AlertDescription::HANDSHAKE_FAILURE,
            Self::NoApplicationProtocol { .. } => AlertDescription::NO_APPLICATION_PROTOCOL,
            Self::EchRequired => AlertDescription::ECH_REQUIRED,
            Self::Refused { alert, .. }
            | Self::DuplicateExtension { alert, .. }
            | Self::CertificateRequired { alert } => *alert,
            Self::InappropriateFallback => AlertDescription::INAPPROPRIATE_FALLBACK,
            Self::Renegotiation => AlertDescription::NO_RENEGOTIATION,
            Self::Canceled | Self::DeadlineExceeded => AlertDescription::USER_CANCELED,
            Self::SigningFailed(_) | Self::Crypto(_) | Self::TooLong | Self::Internal(_) => {
                AlertDescription::INTERNAL_ERROR
            }
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoCommonVersion { .. }
            | Self::EarlyDataBeforeTls12
            | Self::NoCommonSuite { .. }
            | Self::NoCommonGroup { .. }
            | Self::NoCommonSignatureScheme { .. }
            | Self::NoApplicationProtocol { .. }
            | Self::NoExtendedMasterSecret
            | Self::EchRequired => Fault::Incompatible,
            Self::Refused { fault, .. } => *fault,
            Self::Canceled | Self::DeadlineExceeded | Self::SigningFailed(_) | Self::TooLong => Fault::Local,
            Self::Crypto(_) | Self::Internal(_) => Fault::Internal,
            _ => Fault::Peer,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { what } => write!(f, "the peer sent a malformed {what}"),
            Self::UnexpectedMessage { received, expected } => {
                write!(f, "the peer sent {received} where {expected} was due")
            }
            Self::ExcessHandshakeData { after } => {
                write!(f, "the peer sent handshake bytes behind {after}, which must end its record")
            }
            Self::WrongLevel { received } => {
                write!(f, "the peer sent {received} at the wrong encryption level")
            }
            Self::IllegalParameter { what } => write!(f, "the peer sent an illegal parameter: {what}"),
            Self::WrongCipherSuite(suite) => {
                write!(f, "the server chose {suite}, which is not what was offered")
            }
            Self::BadKeyShare(error) => write!(f, "the peer's key share is unusable: {error}"),
            Self::DuplicateExtension { typ, .. } => write!(f, "the peer sent {typ} twice in one message"),
            Self::ForbiddenExtension(typ) => {
                write!(f, "the peer sent {typ} in a message where it may not be")
            }
            Self::UnsupportedExtension(typ) => write!(f, "the peer answered {typ}, which was not sent"),
            Self::MissingExtension(typ) => write!(f, "the peer left out {typ}, which is required"),
            Self::WrongSignatureScheme(scheme) => {
                write!(f, "the peer signed with {scheme}, which was not offered or does not fit its key")
            }
            Self::UnusableCertificateKey(error) => {
                write!(f, "the key in the peer's certificate is unusable: {error}")
            }
            Self::NoCommonVersion { peer } => {
                write!(f, "no protocol version in common: the peer offers {peer}")
            }
            Self::NoCommonSuite { peer } => write!(f, "no cipher suite in common: the peer offers {peer}"),
            Self::NoCommonGroup { peer } => {
                write!(f, "no key exchange group in common: the peer offers {peer}")
            }
            Self::NoCommonSignatureScheme { peer } => {
                write!(f, "no certificate of ours fits the signature schemes that the peer accepts: {peer}")
            }
            Self::NoApplicationProtocol { peer } => {
                write!(f, "no application protocol in common: the peer offers {peer}")
            }
            Self::QuicViolation(what) => write!(f, "the peer broke a rule of TLS over QUIC: {what}"),
            Self::Refused { cause, .. } => write!(f, "{cause}"),
            Self::SigningFailed(Some(cause)) => write!(f, "our key could not sign: {cause}"),
            Self::Crypto(error) => write!(f, "the cryptographic library failed: {error}"),
            Self::Internal(what) => write!(f, "internal error: {what}"),
            other => f.write_str(other.text()),
        }
    }
}

impl Error {
    /// The text of an error that has always the same.
    const fn text(&self) -> &'static str {
        match self {
            Self::UnexpectedChangeCipherSpec => "the peer sent a ChangeCipherSpec where none is due",
            Self::WrongGroup => "the peer chose a key exchange group that was not offered or asked for",
            Self::Downgrade => {
                "the server speaks TLS 1.3 but saw an older offer: somebody between tampered with the handshake"
            }
            Self::EarlyDataBeforeTls12 => {
                "the server chose TLS 1.2 after early data of TLS 1.3 had been sent: connect again without early data"
            }
            Self::BadSignature => "the peer's handshake signature does not verify",
            Self::BadFinished => "the peer's Finished does not verify: the handshake was tampered with",
            Self::BadBinder => "the client's PSK binder does not verify",
            Self::UnreadableCertificate => "the peer's certificate cannot be read",
            Self::DecompressionFailed => {
                "the peer's compressed certificate does not decompress to what it says"
            }
            Self::NoExtendedMasterSecret => {
                "the peer does not know extended_master_secret, which is required here in TLS 1.2; TLS 1.3 needs none"
            }
            Self::UnboundSession => {
                "the server resumes a session without extended_master_secret as if it had been made with it"
            }
            Self::NoSecureRenegotiation => {
                "the peer does not protect against renegotiation by others (renegotiation_info)"
            }
            Self::CertificateRequired { .. } => "the client sent no certificate, and one is required",
            Self::InappropriateFallback => {
                "the client fell back to an older version than both speak: somebody between made it do so"
            }
            Self::Renegotiation => "the client wants to renegotiate, which is never done",
            Self::EchRequired => "the server refused Encrypted Client Hello",
            Self::Canceled => "the handshake was canceled by its caller",
            Self::DeadlineExceeded => "the handshake did not finish before its deadline",
            Self::SigningFailed(None) => "our key could not sign",
            Self::TooLong => "a message of ours does not fit its length fields",
            _ => "the handshake failed",
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused { cause, .. } | Self::SigningFailed(Some(cause)) => Some(&**cause),
            Self::Crypto(error) | Self::BadKeyShare(error) | Self::UnusableCertificateKey(error) => {
                Some(error)
            }
            _ => None,
        }
    }
}
