//! What a record key is made from: key bytes, IVs, and the way to make nonces of them.

use core::fmt;

use zeroize::ZeroizeOnDrop;

use super::algorithm::{AeadAlgorithm, NONCE_LEN};
use crate::error::Error;
use crate::hash::Hash;
use crate::hkdf::expand_label;
use crate::secret::{Inline, Secret, erase};

/// The raw bytes of an AEAD key, at most [`AeadKey::MAX_LEN`].
pub struct AeadKey(Inline<{ AeadKey::MAX_LEN }>);

impl AeadKey {
    /// The longest key, in bytes.
    pub const MAX_LEN: usize = 32;

    pub(super) const WRONG_LENGTH: Error = Error::InvalidLength("an AEAD key of the algorithm's length");

    /// Copies `bytes`, which must be exactly the algorithm's key length.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] otherwise.
    #[inline]
    pub fn new(algorithm: AeadAlgorithm, bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() != algorithm.key_len() {
            return Err(Self::WRONG_LENGTH);
        }
        Inline::new(bytes).map(Self).ok_or(Self::WRONG_LENGTH)
    }

    /// HKDF-Expand-Label with an empty context, straight into a key: `label` is `key` for TLS records (RFC 9846
    /// section 7.3), `quic key` for QUIC packets (RFC 9001 section 5.1).
    ///
    /// # Errors
    /// As [`expand_label`].
    #[inline]
    pub fn expand_label(
        algorithm: AeadAlgorithm,
        hash: Hash,
        secret: &Secret,
        label: &str,
    ) -> Result<Self, Error> {
        let mut key = Self(Inline::zeros(algorithm.key_len()).ok_or(Self::WRONG_LENGTH)?);
        expand_label(hash, secret, label, &[], key.0.as_mut_bytes())?;
        Ok(key)
    }

    /// The key bytes, for a kernel or a device that takes the connection over.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// How many bytes the key has.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A second copy of the key, which must be erased (dropped) on its own.
    #[inline]
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    /// Whether the key has no bytes: never.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }
}

impl ZeroizeOnDrop for AeadKey {}

impl fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AeadKey(..)")
    }
}

/// The per-key part of a nonce that every sequence number is mixed into.
pub struct Iv([u8; NONCE_LEN]);

impl Iv {
    /// An IV of these bytes.
    #[inline]
    #[must_use]
    pub const fn new(bytes: [u8; NONCE_LEN]) -> Self {
        Self(bytes)
    }

    /// HKDF-Expand-Label with an empty context, straight into an IV: `label` is `iv` for TLS records (RFC 9846
    /// section 7.3), `quic iv` for QUIC packets (RFC 9001 section 5.1).
    ///
    /// # Errors
    /// As [`expand_label`].
    #[inline]
    pub fn expand_label(hash: Hash, secret: &Secret, label: &str) -> Result<Self, Error> {
        let mut iv = Self([0; NONCE_LEN]);
        expand_label(hash, secret, label, &[], &mut iv.0)?;
        Ok(iv)
    }

    /// The IV's bytes, for a kernel or a device that takes the connection over.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; NONCE_LEN] {
        &self.0
    }
}

impl Drop for Iv {
    #[inline]
    fn drop(&mut self) {
        erase(&mut self.0);
    }
}

impl ZeroizeOnDrop for Iv {}

impl fmt::Debug for Iv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iv(..)")
    }
}

/// The fixed IV that a TLS 1.2 key block yields: 4 bytes for AES-GCM, 12 for ChaCha20-Poly1305.
pub struct FixedIv {
    iv: Inline<NONCE_LEN>,
    algorithm: AeadAlgorithm,
}

impl FixedIv {
    /// Copies `bytes`, which must be exactly [`AeadAlgorithm::tls12_fixed_iv_len`] long.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] otherwise.
    #[inline]
    pub fn new(algorithm: AeadAlgorithm, bytes: &[u8]) -> Result<Self, Error> {
        const WRONG_LENGTH: Error = Error::InvalidLength("a fixed IV of the algorithm's length");
        if bytes.len() != algorithm.tls12_fixed_iv_len() {
            return Err(WRONG_LENGTH);
        }
        Ok(Self { iv: Inline::new(bytes).ok_or(WRONG_LENGTH)?, algorithm })
    }

    /// A second copy of the IV, which must be erased (dropped) on its own.
    #[inline]
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { iv: self.iv.duplicate(), algorithm: self.algorithm }
    }

    /// The way of making nonces that TLS 1.2 uses with this algorithm.
    ///
    /// # Errors
    /// None in practice: the length was checked when the value was made.
    #[inline]
    pub fn nonces(&self) -> Result<Nonces, Error> {
        const IMPOSSIBLE: Error = Error::Internal("a fixed IV of a wrong length");
        match self.algorithm {
            AeadAlgorithm::Aes128Gcm | AeadAlgorithm::Aes256Gcm => {
                self.iv.as_bytes().try_into().map(Nonces::Explicit).map_err(|_| IMPOSSIBLE)
            }
            AeadAlgorithm::ChaCha20Poly1305 => {
                self.iv.as_bytes().try_into().map(|iv| Nonces::Xor(Iv(iv))).map_err(|_| IMPOSSIBLE)
            }
        }
    }
}

impl ZeroizeOnDrop for FixedIv {}

impl fmt::Debug for FixedIv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedIv(..)")
    }
}

/// How a key makes its nonces.
pub enum Nonces {
    /// The IV XOR the sequence number: TLS 1.3 (RFC 9846 section 5.3), QUIC, and ChaCha20-Poly1305 in TLS 1.2.
    Xor(Iv),
    /// This salt, then eight bytes that travel with the record: AES-GCM in TLS 1.2 (RFC 5288 section 3). The sealer
    /// sends its sequence number, which cannot repeat; the opener takes what it is told.
    Explicit([u8; 4]),
}

impl Drop for Nonces {
    #[inline]
    fn drop(&mut self) {
        if let Self::Explicit(salt) = self {
            erase(salt);
        }
    }
}

impl ZeroizeOnDrop for Nonces {}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xor(_) => "Xor(..)",
            Self::Explicit(_) => "Explicit(..)",
        })
    }
}
