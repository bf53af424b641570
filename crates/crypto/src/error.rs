//! The one error type of the primitives.

use core::fmt;

use crate::key_exchange::NamedGroup;

/// Why a cryptographic operation was refused.
///
/// Deliberately poor in detail where detail would help an attacker: a failed decryption or verification never says
/// which byte was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An AEAD refused a ciphertext: its key, nonce, additional data, bytes or tag are not the sealer's.
    DecryptFailed,
    /// A record key has used every sequence number it has; it must be replaced (RFC 9846 section 5.3).
    CounterExhausted,
    /// A key share of the peer's has the wrong length or form, or leads to a forbidden result.
    InvalidShare {
        /// The group the share was meant for.
        group: NamedGroup,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A public key could not be read, or breaks a rule on its size or form.
    InvalidPublicKey(&'static str),
    /// A well-formed key of a kind that this crate does not use.
    UnsupportedKey(&'static str),
    /// A signature does not belong to this message and key.
    BadSignature,
    /// The signature scheme is unknown, or the key at hand cannot use it.
    UnsupportedScheme,
    /// The signing key could not make a signature.
    SigningFailed,
    /// A message authentication code is not the expected one.
    BadMac,
    /// The system's random number generator failed.
    RandomFailed,
    /// More output was asked of a key derivation than it can give (RFC 5869 section 2.3: 255 blocks).
    OutputTooLong,
    /// A value has a length that its place does not allow; the text names the value.
    InvalidLength(&'static str),
    /// The library below refused something that cannot fail: a defect here, or memory ran out.
    Internal(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DecryptFailed => f.write_str("decryption failed: the record was not sealed under this key"),
            Self::CounterExhausted => f.write_str("the record key has no sequence numbers left"),
            Self::InvalidShare { group, reason } => write!(f, "invalid key share for {group}: {reason}"),
            Self::InvalidPublicKey(reason) => write!(f, "invalid public key: {reason}"),
            Self::UnsupportedKey(reason) => write!(f, "unsupported key: {reason}"),
            Self::BadSignature => f.write_str("the signature does not verify"),
            Self::UnsupportedScheme => f.write_str("the signature scheme is unknown or does not fit the key"),
            Self::SigningFailed => f.write_str("the signing key could not make a signature"),
            Self::BadMac => f.write_str("the message authentication code does not verify"),
            Self::RandomFailed => f.write_str("the system's random number generator failed"),
            Self::OutputTooLong => f.write_str("more output was asked of a key derivation than it can give"),
            Self::InvalidLength(what) => write!(f, "wrong length: {what}"),
            Self::Internal(what) => write!(f, "internal error in the cryptographic library: {what}"),
        }
    }
}

impl core::error::Error for Error {}
