//! Types for key material: held inline (no heap), erased on drop, printed never, compared in constant time.

use core::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::{ZeroizeOnDrop, optimization_barrier};

use crate::error::Error;
use crate::hash::Hash;

/// Overwrites `bytes` with zeros in a way that the optimiser must keep.
///
/// A plain fill followed by a barrier is a few vector stores, where byte-wise volatile writes would cost as much as a
/// hash block in the key schedule.
#[inline]
pub(crate) fn erase(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
#[inline]
pub(crate) fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}

/// At most `N` secret bytes, and never more than 255, stored inline.
pub(crate) struct Inline<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Inline<N> {
    /// Copies `bytes`, or refuses what is longer than `N`.
    #[inline]
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut inline = Self::zeros(bytes.len())?;
        inline.as_mut_bytes().copy_from_slice(bytes);
        Some(inline)
    }

    /// `len` zero bytes, to be written through [`Inline::as_mut_bytes`].
    #[inline]
    pub(crate) fn zeros(len: usize) -> Option<Self> {
        if len > N {
            return None;
        }
        Some(Self { bytes: [0; N], len: u8::try_from(len).ok()? })
    }

    #[inline]
    pub(crate) fn duplicate(&self) -> Self {
        Self { bytes: self.bytes, len: self.len }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len.into()
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len()).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8] {
        let len = self.len();
        self.bytes.get_mut(..len).unwrap_or_default()
    }
}

impl Inline<{ Secret::MAX_LEN }> {
    /// Zeros, one output of `hash` long.
    #[inline]
    pub(crate) fn for_hash(hash: Hash) -> Self {
        // No hash has an output of more bytes than this.
        let len = u8::try_from(hash.output_len().min(Secret::MAX_LEN)).unwrap_or_default();
        Self { bytes: [0; Secret::MAX_LEN], len }
    }
}

impl<const N: usize> Drop for Inline<N> {
    #[inline]
    fn drop(&mut self) {
        erase(&mut self.bytes);
    }
}

impl<const N: usize> ZeroizeOnDrop for Inline<N> {}

/// A secret of the key schedule: at most [`Secret::MAX_LEN`] bytes, normally exactly one hash output.
///
/// It is not `Clone`, so that every further copy of a secret is visible where it is made: [`Secret::duplicate`].
pub struct Secret(Inline<{ Secret::MAX_LEN }>);

impl Secret {
    /// The longest secret, in bytes: the output of SHA-512.
    pub const MAX_LEN: usize = 64;

    /// Copies `bytes` into a secret. The caller's copy stays the caller's to erase.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] if there are more than [`Secret::MAX_LEN`] bytes.
    #[inline]
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        Inline::new(bytes).map(Self).ok_or(Error::InvalidLength("a secret of at most 64 bytes"))
    }

    /// Zeros, one output of `hash` long, to be filled in place; also the key schedule's "0" (RFC 9846 section 7.1).
    #[inline]
    #[must_use]
    pub fn zeros(hash: Hash) -> Self {
        Self(Inline::for_hash(hash))
    }

    #[inline]
    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8] {
        self.0.as_mut_bytes()
    }

    /// The secret bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// How many bytes the secret has.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the secret has no bytes at all.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// A second copy of the secret, which must be erased (dropped) on its own.
    #[inline]
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

/// A traffic secret as a record key keeps it for as long as a connection lives: in no more room than the longest hash of
/// TLS 1.3's suites takes.
pub struct TrafficSecret(Inline<{ TrafficSecret::MAX_LEN }>);

impl TrafficSecret {
    /// The longest one, in bytes: the output of SHA-384.
    pub const MAX_LEN: usize = 48;

    /// A second copy of a secret; the first must be erased (dropped) on its own.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] if it has more than [`TrafficSecret::MAX_LEN`] bytes.
    #[inline]
    pub fn of(secret: &Secret) -> Result<Self, Error> {
        const TOO_LONG: Error = Error::InvalidLength("a traffic secret of at most 48 bytes");
        Inline::new(secret.as_bytes()).map(Self).ok_or(TOO_LONG)
    }

    /// A second copy, to derive keys from, which must be erased (dropped) on its own.
    #[inline]
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let mut inline = Inline { bytes: [0; Secret::MAX_LEN], len: self.0.len };
        inline.as_mut_bytes().copy_from_slice(self.0.as_bytes());
        Secret(inline)
    }
}

/// What a key exchange agreed on: at most [`SharedSecret::MAX_LEN`] bytes.
///
/// Not `Clone`, like [`Secret`].
pub struct SharedSecret(Inline<{ SharedSecret::MAX_LEN }>);

impl SharedSecret {
    /// The longest shared secret, in bytes: room for P-521 (66) and every hybrid (64 or 80).
    pub const MAX_LEN: usize = 96;

    /// Copies `bytes` into a shared secret. The caller's copy stays the caller's to erase.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] if there are more than [`SharedSecret::MAX_LEN`] bytes.
    #[inline]
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        Inline::new(bytes).map(Self).ok_or(Error::InvalidLength("a shared secret of at most 96 bytes"))
    }

    /// The concatenation of `parts` as a shared secret: hybrids are made of two (draft-ietf-tls-hybrid-design).
    ///
    /// # Errors
    /// [`Error::InvalidLength`] if the parts together have more than [`SharedSecret::MAX_LEN`] bytes.
    pub fn concat(parts: &[&[u8]]) -> Result<Self, Error> {
        const TOO_LONG: Error = Error::InvalidLength("a shared secret of at most 96 bytes");
        let len = parts.iter().fold(0, |len: usize, part| len.saturating_add(part.len()));
        let mut inline = Inline::zeros(len).ok_or(TOO_LONG)?;
        let mut free = inline.as_mut_bytes();
        for part in parts {
            let (room, rest) = free.split_at_mut_checked(part.len()).ok_or(TOO_LONG)?;
            room.copy_from_slice(part);
            free = rest;
        }
        Ok(Self(inline))
    }

    /// The secret bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// How many bytes the secret has.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the secret has no bytes at all.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// A second copy of the secret, which must be erased (dropped) on its own.
    #[inline]
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl fmt::Debug for TrafficSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrafficSecret(..)")
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

/// Compares in time that depends on the lengths only.
impl PartialEq for Secret {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for Secret {}

/// Compares in time that depends on the lengths only.
impl PartialEq for SharedSecret {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for SharedSecret {}

// Erased by the `Inline` inside.
impl ZeroizeOnDrop for Secret {}
impl ZeroizeOnDrop for TrafficSecret {}
impl ZeroizeOnDrop for SharedSecret {}
