//! Randomness for a private key, drawn by the caller.

use core::fmt;

use zeroize::ZeroizeOnDrop;

use crate::secret::erase;

/// Random bytes that one X25519 private key is made of, erased when dropped. Who needs other random values too draws them all
/// at once, which costs the same as one ([`random`](crate::random)).
///
/// RFC 7748 makes a private key of any 32 bytes (section 5), so these can come from outside. The other groups keep to the
/// library's own generation: a NIST scalar has to be drawn again where it is not below the curve's order, and ML-KEM's
/// generation takes no seed from outside.
pub struct Seed([u8; Seed::LEN]);

impl Seed {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Bytes of [`random`](crate::random), which must serve nothing else. The caller's copy stays the caller's to erase.
    #[inline]
    #[must_use]
    pub const fn new(random: &[u8; Self::LEN]) -> Self {
        Self(*random)
    }

    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Seed {
    #[inline]
    fn drop(&mut self) {
        erase(&mut self.0);
    }
}

impl ZeroizeOnDrop for Seed {}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}
