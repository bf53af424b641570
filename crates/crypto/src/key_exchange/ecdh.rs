//! ECDH over X25519 and the NIST curves: one exchange, one private key, used once.

use aws_lc_rs::agreement::{self, Algorithm, PrivateKey, PublicKey};

use crate::error::Error;
use crate::secret::SharedSecret;

use super::{NamedGroup, Seed, Share};

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    X25519,
    P256,
    P384,
    P521,
}

/// First byte of an uncompressed point, the only form that TLS 1.3 allows (RFC 9846 section 4.3.8.2) and the only
/// one that TLS 1.2 peers may still use (RFC 8422 section 5.1.2).
const UNCOMPRESSED: u8 = 0x04;

impl Curve {
    /// Length of a share (a public key in its TLS form) in bytes.
    pub(super) const fn share_len(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::P256 => 65,
            Self::P384 => 97,
            Self::P521 => 133,
        }
    }

    /// Checks what can be seen from outside: aws-lc-rs would also accept compressed and hybrid points and whole
    /// SubjectPublicKeyInfo structures, each a second encoding of the same key, which breaks "one share, one
    /// transcript" and reaches parsers that have no business here.
    pub(super) fn check_form(self, share: &[u8]) -> Result<(), &'static str> {
        if share.len() != self.share_len() {
            return Err("the key share has the wrong length for its group");
        }
        if !matches!(self, Self::X25519) && share.first() != Some(&UNCOMPRESSED) {
            return Err("the key share is not an uncompressed point");
        }
        Ok(())
    }

    const fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::X25519 => &agreement::X25519,
            Self::P256 => &agreement::ECDH_P256,
            Self::P384 => &agreement::ECDH_P384,
            Self::P521 => &agreement::ECDH_P521,
        }
    }
}

/// One side of an exchange: a private key and what agrees with it.
#[derive(Debug)]
pub(super) struct Half(PrivateKey);

impl Half {
    /// A fresh key: of the seed, if there is one and the curve is X25519.
    pub(super) fn generate(curve: Curve, seed: Option<Seed>) -> Result<Self, Error> {
        match (curve, seed) {
            (Curve::X25519, Some(seed)) => Self::from_private_key(curve, seed.as_bytes()),
            _ => PrivateKey::generate(curve.algorithm())
                .map(Self)
                .map_err(|_| Error::Internal("an ECDH key could not be generated")),
        }
    }

    pub(super) fn from_private_key(curve: Curve, private: &[u8]) -> Result<Self, Error> {
        PrivateKey::from_private_key(curve.algorithm(), private)
            .map(Self)
            .map_err(|_| Error::UnsupportedKey("the private key is not one of the group's"))
    }

    /// Our share.
    pub(super) fn share(&self) -> Result<Share, Error> {
        self.public_key().map(|public| Share::copy(public.as_ref()))
    }

    /// Appends our share to `out`.
    pub(super) fn write_share(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(self.public_key()?.as_ref());
        Ok(())
    }

    fn public_key(&self) -> Result<PublicKey, Error> {
        self.0.compute_public_key().map_err(|_| Error::Internal("an ECDH public key could not be computed"))
    }

    /// The secret shared with the owner of `peer_share`, whose form has been checked.
    ///
    /// Refused: a point off its curve, and an X25519 share of low order, whose all-zero result would let a peer fix
    /// the secret (RFC 7748 section 6.1, RFC 9846 section 7.4.2).
    pub(super) fn agree(self, group: NamedGroup, peer_share: &[u8]) -> Result<SharedSecret, Error> {
        let peer = agreement::UnparsedPublicKey::new(self.0.algorithm(), peer_share);
        let refused = Error::InvalidShare { group, reason: "the key share is off its curve or of low order" };
        agreement::agree(&self.0, peer, refused, SharedSecret::new)
    }
}
