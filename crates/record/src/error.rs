//! What can go wrong, and the alert that answers it.

use core::fmt;

use oxtls_crypto::Error;

use crate::header::{ContentType, HEADER_LEN, looks_like};

/// Why received bytes were refused. Each is fatal: send [`RecordError::alert`] and end the connection. The one
/// exception, [`RecordError::OutputTooSmall`], is the caller's own and leaves the reader as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes are no TLS record at all.
    NotTls {
        /// What stands where a record header should.
        first: [u8; HEADER_LEN],
    },
    /// A record of a type nobody defined, outside or inside its protection.
    UnknownContentType(u8),
    /// A record, or the content in it, is longer than the protocol or our record_size_limit allows.
    TooLong {
        /// The length in bytes.
        length: usize,
        /// The most it could be.
        limit: usize,
    },
    /// A record does not open under the present read key.
    DecryptFailed,
    /// A handshake record without content (RFC 9846 section 5.1).
    EmptyHandshakeFragment,
    /// An alert record without content.
    EmptyAlert,
    /// More than one alert in a record (RFC 9846 section 5.1).
    SeveralAlerts,
    /// An alert record that does not hold whole alerts.
    MalformedAlert {
        /// The length of its content in bytes.
        length: usize,
    },
    /// A ChangeCipherSpec that is anything but the byte 0x01 (RFC 9846 section 5).
    BadChangeCipherSpec,
    /// A ChangeCipherSpec inside protection (RFC 9846 section 5).
    ProtectedChangeCipherSpec,
    /// More compatibility ChangeCipherSpec records than [`crate::limits::MAX_CHANGE_CIPHER_SPECS`].
    TooManyChangeCipherSpecs,
    /// Application data where the mode takes none.
    ApplicationDataRefused,
    /// More early data than the ticket allowed (RFC 9846 section 4.3.10).
    EarlyDataTooMuch {
        /// The most plaintext bytes.
        limit: u32,
    },
    /// More rejected early data to skip than the mode allows.
    SkippedTooMuch {
        /// The most bytes of record payload.
        limit: u32,
    },
    /// Another record came between the fragments of a handshake message (RFC 9846 section 5.1).
    InterleavedFragment(ContentType),
    /// A handshake message is longer than the mode allows; said at its header, before any of it is kept.
    MessageTooLong {
        /// The length in bytes that the header claims, without the header.
        length: u32,
        /// The most it could be.
        limit: u32,
    },
    /// A protected record of nothing but zeros: it has no content type (RFC 9846 section 5.4).
    AllPadding,
    /// More than [`crate::limits::MAX_EMPTY_RECORDS`] application data records without content in a row.
    TooManyEmptyRecords,
    /// A protected record whose header names another type than application data (RFC 9846 section 5.2).
    WrongOuterType(ContentType),
    /// A protected record whose `legacy_record_version` is not 0x0303 (RFC 9846 section 5.2).
    WrongVersion(u16),
    /// The caller's destination can't hold what the record decrypts to. Nothing was consumed.
    OutputTooSmall {
        /// The bytes that it must hold.
        needed: usize,
    },
    /// The read key has opened all the records it can.
    KeyExhausted,
    /// The cryptographic library, or this crate, failed at what cannot fail.
    Internal(&'static str),
}

impl RecordError {
    /// The AlertDescription to send (RFC 9846 section 6).
    #[must_use]
    pub const fn alert(self) -> u8 {
        match self {
            Self::UnknownContentType(_)
            | Self::EmptyHandshakeFragment
            | Self::EmptyAlert
            | Self::SeveralAlerts
            | Self::BadChangeCipherSpec
            | Self::ProtectedChangeCipherSpec
            | Self::TooManyChangeCipherSpecs
            | Self::ApplicationDataRefused
            | Self::EarlyDataTooMuch { .. }
            | Self::SkippedTooMuch { .. }
            | Self::InterleavedFragment(_)
            | Self::AllPadding
            | Self::TooManyEmptyRecords
            | Self::WrongOuterType(_) => 10, // unexpected_message
            Self::WrongVersion(_) => 70,       // protocol_version
            Self::DecryptFailed => 20,         // bad_record_mac
            Self::TooLong { .. } => 22,        // record_overflow
            Self::MessageTooLong { .. } => 47, // illegal_parameter
            Self::NotTls { .. } | Self::MalformedAlert { .. } => 50, // decode_error
            Self::OutputTooSmall { .. } | Self::KeyExhausted | Self::Internal(_) => 80, // internal_error
        }
    }
}

impl From<Error> for RecordError {
    fn from(error: Error) -> Self {
        match error {
            Error::DecryptFailed => Self::DecryptFailed,
            Error::CounterExhausted => Self::KeyExhausted,
            _ => Self::Internal("a record key failed"),
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotTls { first } => write_not_tls(f, first),
            Self::UnknownContentType(byte) => write!(f, "the peer sent a record of the unknown type {byte}"),
            Self::TooLong { length, limit } => {
                write!(f, "the peer sent a record of {length} bytes where {limit} is the most")
            }
            Self::DecryptFailed => {
                f.write_str("a record does not decrypt: it was corrupted, or sealed under another key")
            }
            Self::EmptyHandshakeFragment => f.write_str("the peer sent a handshake record without content"),
            Self::EmptyAlert => f.write_str("the peer sent an alert record without content"),
            Self::SeveralAlerts => f.write_str("the peer sent more than one alert in one record"),
            Self::MalformedAlert { length } => {
                write!(f, "the peer sent an alert of {length} bytes; alerts have 2")
            }
            Self::BadChangeCipherSpec => {
                f.write_str("the peer sent a ChangeCipherSpec that is not the byte 1")
            }
            Self::ProtectedChangeCipherSpec => {
                f.write_str("the peer sent a ChangeCipherSpec inside a protected record")
            }
            Self::TooManyChangeCipherSpecs => f.write_str("the peer sent too many ChangeCipherSpec records"),
            Self::ApplicationDataRefused => {
                f.write_str("the peer sent application data where none is allowed")
            }
            Self::EarlyDataTooMuch { limit } => {
                write!(f, "the peer sent more early data than the {limit} bytes it may")
            }
            Self::SkippedTooMuch { limit } => {
                write!(f, "more than {limit} bytes of rejected early data came before the handshake went on")
            }
            Self::InterleavedFragment(other) => {
                write!(f, "the peer sent a record of type {} inside a handshake message", other.to_byte())
            }
            Self::MessageTooLong { length, limit } => {
                write!(
                    f,
                    "the peer announced a handshake message of {length} bytes where {limit} is the most"
                )
            }
            Self::AllPadding => f.write_str("the peer sent a protected record without a content type"),
            Self::TooManyEmptyRecords => f.write_str("the peer sent too many records without content"),
            Self::WrongOuterType(kind) => {
                write!(f, "the peer sent a protected record that shows the type {}", kind.to_byte())
            }
            Self::WrongVersion(version) => {
                write!(f, "the peer sent a protected record of version {version:#06x}, not 0x0303")
            }
            Self::OutputTooSmall { needed } => {
                write!(f, "the destination is too small: opening this record takes {needed} bytes")
            }
            Self::KeyExhausted => f.write_str("the read key has no sequence numbers left"),
            Self::Internal(what) => write!(f, "internal error in the record layer: {what}"),
        }
    }
}

fn write_not_tls(f: &mut fmt::Formatter<'_>, first: [u8; HEADER_LEN]) -> fmt::Result {
    match looks_like(first) {
        Some(what) => write!(f, "the peer does not speak TLS here: this looks like {what}"),
        None => write!(f, "the peer does not speak TLS here: its bytes begin {first:02x?}"),
    }
}

impl core::error::Error for RecordError {}

/// Why a writer sealed nothing. Apart from [`SealError::Crypto`] the writer is as it was and can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The window can't hold the smallest record that would help.
    TooSmall {
        /// The bytes that it must have.
        needed: usize,
    },
    /// The write key has sealed as many records as it safely can (RFC 9846 section 5.5): update it. For application
    /// data this is said [`crate::limits::RESERVED_RECORDS`] early, so that the KeyUpdate can still go out under it.
    KeyExhausted,
    /// Application data without a key: it is never sent in the clear.
    NoKey,
    /// An alert that is not 2 bytes, or a ChangeCipherSpec that is not the byte 1.
    InvalidContent(ContentType),
    /// The cryptographic library failed.
    Crypto(Error),
}

impl From<Error> for SealError {
    fn from(error: Error) -> Self {
        match error {
            Error::CounterExhausted => Self::KeyExhausted,
            other => Self::Crypto(other),
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { needed } => {
                write!(f, "the output window is too small: {needed} bytes are needed")
            }
            Self::KeyExhausted => {
                f.write_str("the write key has reached its usage limit and must be updated")
            }
            Self::NoKey => f.write_str("there is no key yet to protect application data with"),
            Self::InvalidContent(kind) => {
                write!(f, "this is no content for a record of type {}", kind.to_byte())
            }
            Self::Crypto(error) => write!(f, "sealing failed: {error}"),
        }
    }
}

impl core::error::Error for SealError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Crypto(error) => Some(error),
            _ => None,
        }
    }
}
