//! HMAC (RFC 2104), made and verified.
//!
//! Written over one-shot digests in one stack buffer: no allocation and no key context for the short messages of a
//! key schedule, where setting such a context up would cost more than the hashing. Longer messages go through a
//! running context.

use core::fmt;

use aws_lc_rs::digest;
use zeroize::{ZeroizeOnDrop, optimization_barrier};

use crate::error::Error;
use crate::hash::{Hash, HashContext};
use crate::secret::{Inline, constant_time_eq, erase};

/// Room for the longest block of a hash, and for the longest message that is hashed on the stack.
const MAX_BLOCK_LEN: usize = 128;
const MAX_STACK_MESSAGE_LEN: usize = 256;
const STACK_LEN: usize = MAX_BLOCK_LEN + MAX_STACK_MESSAGE_LEN;

/// What the padded key is masked with for the inner hash, and for the outer one.
const IPAD: u8 = 0x36;
const OPAD: u8 = 0x5c;

/// A message authentication code. A key schedule uses them as secrets, so they are kept like one.
pub struct Tag(Inline<{ Tag::MAX_LEN }>);

impl Tag {
    /// The longest code, in bytes: the output of SHA-512.
    pub const MAX_LEN: usize = 64;

    /// The code.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Compares with a code that came from outside, in time that depends on the lengths only. A truncated code is no
    /// match.
    ///
    /// # Errors
    /// [`Error::BadMac`] if they differ.
    #[inline]
    pub fn verify(&self, expected: &[u8]) -> Result<(), Error> {
        if constant_time_eq(self.as_bytes(), expected) { Ok(()) } else { Err(Error::BadMac) }
    }
}

impl ZeroizeOnDrop for Tag {}

impl AsRef<[u8]> for Tag {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Compares in time that depends on the lengths only.
impl PartialEq for Tag {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for Tag {}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(..)")
    }
}

/// The HMAC of the concatenation of `parts` under `key` (any length; a key longer than the hash's block is hashed
/// first).
#[inline]
#[must_use]
pub fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Tag {
    let mut tag = Inline::for_hash(hash);
    hmac_into(hash, key, &Message { head: &[], parts, tail: &[] }, tag.as_mut_bytes());
    Tag(tag)
}

/// Checks that `expected` is the HMAC of the concatenation of `parts` under `key`, in time that does not depend on
/// where they differ.
///
/// # Errors
/// [`Error::BadMac`] if it is not, a truncated code included.
pub fn verify(hash: Hash, key: &[u8], parts: &[&[u8]], expected: &[u8]) -> Result<(), Error> {
    hmac(hash, key, parts).verify(expected)
}

/// A message in the pieces that the key derivations have it in: `head`, then `parts`, then `tail`.
pub(crate) struct Message<'a> {
    pub(crate) head: &'a [&'a [u8]],
    pub(crate) parts: &'a [&'a [u8]],
    pub(crate) tail: &'a [u8],
}

impl Message<'_> {
    /// Gives each piece to `take`, in order, as long as it takes them; whether it took all.
    #[inline(always)]
    fn each(&self, mut take: impl FnMut(&[u8]) -> bool) -> bool {
        self.head.iter().all(|piece| take(piece))
            && self.parts.iter().all(|piece| take(piece))
            && take(self.tail)
    }
}

/// Writes the HMAC of `message` to `out`; a shorter `out` gets the first bytes.
pub(crate) fn hmac_into(hash: Hash, key: &[u8], message: &Message<'_>, out: &mut [u8]) {
    Keyed::new(hash, key).hmac_into(message, out);
}

/// A key of several messages, laid out and erased once.
pub(crate) struct Keyed {
    hash: Hash,
    buffer: Buffer,
}

impl Keyed {
    #[inline]
    pub(crate) fn new(hash: Hash, key: &[u8]) -> Self {
        Self { hash, buffer: Buffer::new(hash, key) }
    }

    /// Writes the HMAC of `message` to `out`; a shorter `out` gets the first bytes.
    pub(crate) fn hmac_into(&mut self, message: &Message<'_>, out: &mut [u8]) {
        let Self { hash, buffer } = self;
        buffer.key_only(IPAD);
        let mut inner = Inline::for_hash(*hash);
        if message.each(|piece| buffer.push(piece)) {
            digest_into(*hash, buffer.filled(), inner.as_mut_bytes());
        } else {
            buffer.key_only(IPAD);
            digest_long(*hash, buffer.filled(), message, inner.as_mut_bytes());
        }

        buffer.key_only(OPAD);
        buffer.push(inner.as_bytes());
        digest_into(*hash, buffer.filled(), out);
    }
}

/// The inner hash of a message too long for the stack.
#[cold]
fn digest_long(hash: Hash, masked_key: &[u8], message: &Message<'_>, out: &mut [u8]) {
    let mut context = HashContext::new(hash);
    context.update(masked_key);
    message.each(|piece| {
        context.update(piece);
        true
    });
    copy_and_erase(context.into_inner().finish(), out);
}

/// Hashes `data` into `out`; a shorter `out` gets the first bytes.
#[inline]
fn digest_into(hash: Hash, data: &[u8], out: &mut [u8]) {
    copy_and_erase(digest::digest(hash.algorithm(), data), out);
}

/// Takes the value out of a digest of the library's, which does not erase itself, and overwrites it.
#[inline]
fn copy_and_erase(mut digest: digest::Digest, out: &mut [u8]) {
    const ZEROS: [u8; Tag::MAX_LEN] = [0; Tag::MAX_LEN];
    let len = out.len().min(digest.as_ref().len());
    if let (Some(to), Some(from)) = (out.get_mut(..len), digest.as_ref().get(..len)) {
        to.copy_from_slice(from);
    }
    let algorithm = digest.algorithm();
    if let Some(Ok(blank)) =
        ZEROS.get(..algorithm.output_len()).map(|zeros| digest::Digest::import_less_safe(zeros, algorithm))
    {
        digest = blank;
    }
    optimization_barrier(&digest);
}

/// The padded key, followed by what is hashed under it.
struct Buffer {
    bytes: [u8; STACK_LEN],
    block_len: usize,
    len: usize,
    /// What the key is masked with.
    mask: u8,
}

impl Buffer {
    #[inline]
    fn new(hash: Hash, key: &[u8]) -> Self {
        let block_len = hash.block_len();
        let mut buffer = Self { bytes: [0; STACK_LEN], block_len, len: 0, mask: 0 };
        if key.len() > block_len {
            let hashed = buffer.bytes.get_mut(..hash.output_len()).unwrap_or_default();
            digest_into(hash, key, hashed);
        } else {
            buffer.push(key);
        }
        buffer.len = block_len;
        buffer
    }

    /// Drops what is behind the key, and masks that with `mask` in place of what it was masked with. Where the block is
    /// shorter than the space for it, bytes behind it are hit: they are dropped. A fixed length is one vector operation or
    /// four.
    #[inline]
    fn key_only(&mut self, mask: u8) {
        let change = self.mask ^ mask;
        for byte in self.bytes.iter_mut().take(MAX_BLOCK_LEN) {
            *byte ^= change;
        }
        self.mask = mask;
        self.len = self.block_len;
    }

    /// Appends `piece`, or says that there is no room for it.
    #[inline]
    fn push(&mut self, piece: &[u8]) -> bool {
        let Some(end) = self.len.checked_add(piece.len()) else { return false };
        let Some(room) = self.bytes.get_mut(self.len..end) else { return false };
        room.copy_from_slice(piece);
        self.len = end;
        true
    }

    #[inline]
    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        erase(&mut self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_several_messages_gives_each_what_it_gives_it_alone() {
        let messages =
            [&[1; 32][..], &[2; 600], &[], &[3; MAX_STACK_MESSAGE_LEN], &[4; 200], &[5; 600], &[6; 13]];
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            for key in [&[7; 20][..], &[8; 48], &[9; 200]] {
                let mut keyed = Keyed::new(hash, key);
                for message in messages {
                    let mut out = [0; Tag::MAX_LEN];
                    let out = &mut out[..hash.output_len()];
                    keyed.hmac_into(&Message { head: &[], parts: &[message], tail: &[] }, out);
                    assert_eq!(*out, *hmac(hash, key, &[message]).as_bytes(), "{hash:?} {}", message.len());
                }
            }
        }
    }
}
