//! Why nothing can be sealed.

use std::fmt;

/// Why nothing was sealed. Nothing is lost: the plaintext is still the caller's.
#[derive(Debug)]
#[non_exhaustive]
pub enum SealError {
    /// The window cannot hold one byte of plaintext in a record.
    TooSmall {
        /// The bytes that it must have.
        needed: usize,
    },
    /// The handshake is not far enough for application data.
    Handshaking,
    /// This side has closed.
    Closed,
    /// The connection has failed.
    Failed,
    /// There is no next key: TLS 1.2 has no KeyUpdate, and TLS 1.3 has 2^48 - 1 of them.
    NoKeyUpdate,
    /// Early data was not offered, is not taken, or as much was sealed as the session allows.
    NoEarlyData,
    /// The server has taken none of the early data, and the caller writes on without having asked
    /// ([`rejected_early_data`](crate::Connection::rejected_early_data)): the server would miss the beginning. Said once;
    /// then sealing goes on.
    EarlyDataRejected {
        /// How much was sealed early: the caller's still, to be sent again or given up.
        bytes: u32,
    },
    /// A ticket has 1 to 65,535 bytes.
    BadTicket,
    /// The record layer cannot seal. If that is because a key without a successor is used up (TLS 1.2), close_notify waits
    /// to be transmitted and this side has closed.
    Record(oxtls_record::SealError),
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { needed } => {
                write!(f, "the output window is too small: {needed} bytes are needed")
            }
            Self::Handshaking => f.write_str("the handshake is not complete yet"),
            Self::Closed => f.write_str("this side has sent close_notify: nothing may follow it"),
            Self::Failed => f.write_str("this connection has failed"),
            Self::NoEarlyData => f.write_str("no early data can be sent, or no more of it"),
            Self::EarlyDataRejected { bytes } => write!(
                f,
                "the server has not taken the {bytes} bytes of early data: seal them again, or give them up \
                 (`rejected_early_data` asks before this is said)"
            ),
            Self::BadTicket => f.write_str("a ticket has 1 to 65,535 bytes"),
            Self::NoKeyUpdate => f.write_str("no key follows this one: TLS 1.2 has no KeyUpdate"),
            Self::Record(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for SealError {}
