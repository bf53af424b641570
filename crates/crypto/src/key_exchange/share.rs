//! A share of ours, as it is sent.

use core::ops::Deref;

/// As long as the share of X25519.
const SHORT: usize = 32;

/// A public key in its TLS form: that of X25519, which most connections use, without an allocation.
#[derive(Clone)]
pub struct Share(Bytes);

#[derive(Clone)]
enum Bytes {
    Short([u8; SHORT]),
    Long(Vec<u8>),
}

impl Share {
    /// A copy of the share.
    pub(super) fn copy(share: &[u8]) -> Self {
        Self(share.try_into().map_or_else(|_| Bytes::Long(share.to_vec()), Bytes::Short))
    }
}

impl From<Vec<u8>> for Share {
    fn from(share: Vec<u8>) -> Self {
        Self(Bytes::Long(share))
    }
}

impl Deref for Share {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short(share) => share,
            Bytes::Long(share) => share,
        }
    }
}
