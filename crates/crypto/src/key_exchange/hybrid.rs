//! Hybrids: two exchanges side by side, so that the secret holds while either of them does
//! (draft-ietf-tls-ecdhe-mlkem).
//!
//! Shares and secrets are plain concatenations; only the order differs from group to group, see [`Order`].

use crate::error::Error;
use crate::secret::SharedSecret;

use super::ecdh::{self, Curve};
use super::group::Order;
use super::ml_kem::{self, ParameterSet};
use super::{Answer, NamedGroup, Share};

/// What a hybrid group is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) group: NamedGroup,
    pub(super) curve: Curve,
    pub(super) ml_kem: ParameterSet,
    pub(super) order: Order,
}

/// The client's two halves.
#[derive(Debug)]
pub(super) struct Half {
    parts: Parts,
    ecdh: ecdh::Half,
    ml_kem: ml_kem::Half,
}

impl Half {
    /// With `ecdh` as its half of the classic exchange.
    pub(super) fn new(parts: Parts, ecdh: ecdh::Half) -> Result<Self, Error> {
        let ml_kem = ml_kem::Half::generate(parts.ml_kem)?;
        Ok(Self { parts, ecdh, ml_kem })
    }

    pub(super) fn share(&self) -> Result<Share, Error> {
        let mut share = Vec::with_capacity(self.parts.group.offer_len());
        match self.parts.order {
            Order::EcdhFirst => {
                self.ecdh.write_share(&mut share)?;
                self.ml_kem.write_share(&mut share)?;
            }
            Order::MlKemFirst => {
                self.ml_kem.write_share(&mut share)?;
                self.ecdh.write_share(&mut share)?;
            }
        }
        Ok(share.into())
    }

    pub(super) fn finish(self, peer_share: &[u8]) -> Result<SharedSecret, Error> {
        let parts = self.parts;
        let (ecdh_share, ciphertext) = parts.split(peer_share, parts.ml_kem.ciphertext_len())?;
        let ml_kem_secret = self.ml_kem.decapsulate(parts.group, ciphertext)?;
        let ecdh_secret = self.ecdh.agree(parts.group, ecdh_share)?;
        parts.join(&ecdh_secret, &ml_kem_secret)
    }
}

/// The server's side, with `ecdh` as its half of the classic exchange.
pub(super) fn answer(parts: Parts, peer_share: &[u8], ecdh: ecdh::Half) -> Result<Answer, Error> {
    let (ecdh_share, encapsulation_key) = parts.split(peer_share, parts.ml_kem.encapsulation_key_len())?;
    let mut share = Vec::with_capacity(parts.group.answer_len());
    let ml_kem_secret = match parts.order {
        Order::EcdhFirst => {
            ecdh.write_share(&mut share)?;
            ml_kem::encapsulate(parts.ml_kem, parts.group, encapsulation_key, &mut share)?
        }
        Order::MlKemFirst => {
            let secret = ml_kem::encapsulate(parts.ml_kem, parts.group, encapsulation_key, &mut share)?;
            ecdh.write_share(&mut share)?;
            secret
        }
    };
    let ecdh_secret = ecdh.agree(parts.group, ecdh_share)?;
    let secret = parts.join(&ecdh_secret, &ml_kem_secret)?;
    Ok(Answer { share: share.into(), secret })
}

impl Parts {
    /// The ECDH part and the ML-KEM part (`ml_kem_len` bytes) of a share, both of exact length and right form.
    pub(super) fn split(self, share: &[u8], ml_kem_len: usize) -> Result<(&[u8], &[u8]), Error> {
        let refuse = |reason| Error::InvalidShare { group: self.group, reason };
        let first_len = match self.order {
            Order::EcdhFirst => self.curve.share_len(),
            Order::MlKemFirst => ml_kem_len,
        };
        let wrong_length = "the key share has the wrong length for its group";
        let (first, second) = share.split_at_checked(first_len).ok_or(refuse(wrong_length))?;
        let (ecdh, ml_kem) = match self.order {
            Order::EcdhFirst => (first, second),
            Order::MlKemFirst => (second, first),
        };
        if ml_kem.len() != ml_kem_len {
            return Err(refuse(wrong_length));
        }
        self.curve.check_form(ecdh).map_err(refuse)?;
        Ok((ecdh, ml_kem))
    }

    fn join(self, ecdh: &SharedSecret, ml_kem: &SharedSecret) -> Result<SharedSecret, Error> {
        let (first, second) = match self.order {
            Order::EcdhFirst => (ecdh, ml_kem),
            Order::MlKemFirst => (ml_kem, ecdh),
        };
        SharedSecret::concat(&[first.as_bytes(), second.as_bytes()])
    }
}
