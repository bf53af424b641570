//! Key exchange in one shape for ECDH and the post-quantum hybrids.
//!
//! The client makes a [`KeyExchange`], sends its [`share`](KeyExchange::share) and finishes with the server's; the
//! server needs one call, [`answer`]. A private key serves one exchange: both take their half by value.
//!
//! ```
//! use oxtls_crypto::key_exchange::{self, KeyExchange, NamedGroup};
//! # fn main() -> Result<(), oxtls_crypto::Error> {
//! let client = KeyExchange::offer(NamedGroup::X25519_MLKEM768)?;
//! let answer = key_exchange::answer(client.group(), client.share())?;
//! let secret = client.finish(&answer.share)?;
//! assert!(secret == answer.secret);
//! # Ok(()) }
//! ```

mod ecdh;
mod group;
mod hybrid;
mod ml_kem;
mod seed;
mod share;
#[cfg(test)]
mod tests;

use core::fmt;

use crate::error::Error;
use crate::secret::SharedSecret;

pub use group::NamedGroup;
pub use seed::Seed;
pub use share::Share;

use group::Shape;
use hybrid::Parts;

/// The client's half of an exchange: a private key that is used once.
pub struct KeyExchange {
    group: NamedGroup,
    half: Half,
    share: Share,
}

/// The server's half of an exchange, done.
pub struct Answer {
    /// What to send: [`NamedGroup::answer_len`] bytes.
    pub share: Share,
    /// What both sides now know.
    pub secret: SharedSecret,
}

enum Half {
    Ecdh(ecdh::Half),
    Hybrid(hybrid::Half),
    MlKem(ml_kem::Half),
}

impl KeyExchange {
    /// Makes a fresh private key and the share that goes with it.
    ///
    /// # Errors
    /// [`Error::InvalidShare`] for a group that is not supported, [`Error::Internal`] when the library fails.
    pub fn offer(group: NamedGroup) -> Result<Self, Error> {
        Self::generate(group, None)
    }

    /// As [`offer`](Self::offer), with X25519's private key, alone and in a hybrid, made of randomness that the caller has
    /// drawn. Of a group without X25519 the seed is not used; see [`Seed`] for why.
    ///
    /// # Errors
    /// As [`offer`](Self::offer).
    pub fn offer_seeded(group: NamedGroup, seed: Seed) -> Result<Self, Error> {
        Self::generate(group, Some(seed))
    }

    fn generate(group: NamedGroup, seed: Option<Seed>) -> Result<Self, Error> {
        let half = match shape(group)? {
            Shape::Ecdh(curve) => Half::Ecdh(ecdh::Half::generate(curve, seed)?),
            Shape::Hybrid { curve, ml_kem, order } => {
                let ecdh = ecdh::Half::generate(curve, seed)?;
                Half::Hybrid(hybrid::Half::new(Parts { group, curve, ml_kem, order }, ecdh)?)
            }
            Shape::MlKem(set) => Half::MlKem(ml_kem::Half::generate(set)?),
        };
        Self::with_half(group, half)
    }

    /// Starts from a known private key: for tests and for replaying recorded handshakes.
    ///
    /// `private` is the 32-byte X25519 scalar or the big-endian scalar in the size of the curve's field (32, 48 or
    /// 66 bytes).
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`] when `private` does not fit the group, and for every group with ML-KEM in it.
    pub fn from_private_key(group: NamedGroup, private: &[u8]) -> Result<Self, Error> {
        let Shape::Ecdh(curve) = shape(group)? else {
            return Err(Error::UnsupportedKey(
                "an exchange with ML-KEM in it cannot start from a given private key",
            ));
        };
        Self::with_half(group, Half::Ecdh(ecdh::Half::from_private_key(curve, private)?))
    }

    fn with_half(group: NamedGroup, half: Half) -> Result<Self, Error> {
        let share = match &half {
            Half::Ecdh(half) => half.share()?,
            Half::Hybrid(half) => half.share()?,
            Half::MlKem(half) => {
                let mut share = Vec::with_capacity(group.offer_len());
                half.write_share(&mut share)?;
                share.into()
            }
        };
        Ok(Self { group, half, share })
    }

    /// The group.
    pub fn group(&self) -> NamedGroup {
        self.group
    }

    /// What to send to the server: [`NamedGroup::offer_len`] bytes.
    pub fn share(&self) -> &[u8] {
        &self.share
    }

    /// The shared secret, from the server's share. X25519 and ML-KEM-768 give 32 bytes each, P-256 32, P-384 48,
    /// P-521 66, ML-KEM-1024 32; a hybrid the concatenation of its two in the group's order.
    ///
    /// # Errors
    /// [`Error::InvalidShare`] for a share of the wrong length or form (checked before it is used), off its curve,
    /// or of low order. TLS answers it with `illegal_parameter` (RFC 9846 section 4.3.8).
    pub fn finish(self, peer_share: &[u8]) -> Result<SharedSecret, Error> {
        check_share(self.group, false, peer_share)?;
        match self.half {
            Half::Ecdh(half) => half.agree(self.group, peer_share),
            Half::Hybrid(half) => half.finish(peer_share),
            Half::MlKem(half) => half.decapsulate(self.group, peer_share),
        }
    }
}

/// The server's half: takes the client's share and gives the share to send back and the secret.
///
/// # Errors
/// [`Error::InvalidShare`] as for [`KeyExchange::finish`], and for a group that is not supported.
pub fn answer(group: NamedGroup, peer_share: &[u8]) -> Result<Answer, Error> {
    answer_generated(group, peer_share, None)
}

/// As [`answer`], with X25519's private key made of randomness that the caller has drawn, as
/// [`KeyExchange::offer_seeded`] has it.
///
/// # Errors
/// As [`answer`].
pub fn answer_seeded(group: NamedGroup, peer_share: &[u8], seed: Seed) -> Result<Answer, Error> {
    answer_generated(group, peer_share, Some(seed))
}

fn answer_generated(group: NamedGroup, peer_share: &[u8], seed: Option<Seed>) -> Result<Answer, Error> {
    check_share(group, true, peer_share)?;
    match shape(group)? {
        Shape::Ecdh(curve) | Shape::Hybrid { curve, .. } => {
            answer_with(group, peer_share, ecdh::Half::generate(curve, seed)?)
        }
        Shape::MlKem(set) => {
            let mut share = Vec::with_capacity(group.answer_len());
            let secret = ml_kem::encapsulate(set, group, peer_share, &mut share)?;
            Ok(Answer { share: share.into(), secret })
        }
    }
}

/// [`answer`] with a known ECDH private key (as [`KeyExchange::from_private_key`] takes it): for tests and for
/// replaying recorded handshakes. In a hybrid the ML-KEM half stays random.
///
/// # Errors
/// As [`answer`], and [`Error::UnsupportedKey`] when `private` does not fit the group.
pub fn answer_with_private_key(
    group: NamedGroup,
    peer_share: &[u8],
    private: &[u8],
) -> Result<Answer, Error> {
    check_share(group, true, peer_share)?;
    let half = match shape(group)? {
        Shape::Ecdh(curve) | Shape::Hybrid { curve, .. } => ecdh::Half::from_private_key(curve, private)?,
        Shape::MlKem(_) => {
            return Err(Error::UnsupportedKey("an answer by ML-KEM alone cannot be given a private key"));
        }
    };
    answer_with(group, peer_share, half)
}

fn answer_with(group: NamedGroup, peer_share: &[u8], ecdh: ecdh::Half) -> Result<Answer, Error> {
    match shape(group)? {
        Shape::Ecdh(_) => {
            let share = ecdh.share()?;
            let secret = ecdh.agree(group, peer_share)?;
            Ok(Answer { share, secret })
        }
        Shape::Hybrid { curve, ml_kem, order } => {
            hybrid::answer(Parts { group, curve, ml_kem, order }, peer_share, ecdh)
        }
        Shape::MlKem(_) => Err(Error::Internal("ML-KEM alone has no use for a key of a curve")),
    }
}

/// Checks the length and the form of a share without using it, so that a hello can be refused before any costly
/// computation. `from_client`: shares of a hybrid differ by direction.
///
/// # Errors
/// [`Error::InvalidShare`] says what is wrong.
pub fn check_share(group: NamedGroup, from_client: bool, share: &[u8]) -> Result<(), Error> {
    match shape(group)? {
        Shape::Ecdh(curve) => curve.check_form(share).map_err(|reason| Error::InvalidShare { group, reason }),
        Shape::Hybrid { curve, ml_kem, order } => {
            let ml_kem_len =
                if from_client { ml_kem.encapsulation_key_len() } else { ml_kem.ciphertext_len() };
            Parts { group, curve, ml_kem, order }.split(share, ml_kem_len).map(|_| ())
        }
        Shape::MlKem(_) => {
            let wanted = if from_client { group.offer_len() } else { group.answer_len() };
            let reason = "the share has the wrong length";
            if share.len() == wanted { Ok(()) } else { Err(Error::InvalidShare { group, reason }) }
        }
    }
}

fn shape(group: NamedGroup) -> Result<Shape, Error> {
    group.shape().ok_or(Error::InvalidShare { group, reason: "the group is not supported" })
}

impl fmt::Debug for KeyExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExchange").field("group", &self.group).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("share_len", &self.share.len()).finish_non_exhaustive()
    }
}
