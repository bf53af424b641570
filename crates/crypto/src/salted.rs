//! Sealing under a key that many processes share: session tickets.
//!
//! A counter cannot keep nonces apart among processes that do not know of each other, and random nonces of 12 bytes
//! begin to meet after some 2^32 messages. So every message has a key of its own, derived from the shared one and 32
//! random bytes that stand in front of it: a message key is used once, and the shared key seals as many messages as
//! it likes (the idea of derive-key modes, as in AES-GCM-SIV's and XChaCha20's constructions).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::aead::{NONCE_LEN, TAG_LEN};
use crate::error::Error;
use crate::hash::Hash;
use crate::hkdf::expand;
use crate::random;
use crate::secret::Secret;

/// What separates this use of a key from every other.
const LABEL: &[u8] = b"oxtls salted key 2";

/// Bytes of an AES-256 key.
const KEY_LEN: usize = 32;

/// Most bytes of ciphertext and tag that are opened on the stack: a ticket without a chain is half as long.
const SHORT: usize = 512;

/// A key that seals any number of messages, each under a key derived for it alone (HKDF-SHA256, AES-256-GCM).
#[derive(Debug)]
pub struct SaltedKey(Secret);

/// The random bytes in front of one message. Sealing uses them up, so that no two messages have the same.
#[derive(Debug)]
pub struct Salt([u8; SaltedKey::SALT_LEN]);

impl Salt {
    /// A salt of its own draw.
    ///
    /// # Errors
    /// [`Error::RandomFailed`].
    pub fn random() -> Result<Self, Error> {
        random::array().map(Self)
    }

    /// A salt, and eight more random bytes of the same draw, which costs as much for one as for both.
    ///
    /// # Errors
    /// [`Error::RandomFailed`].
    pub fn with_more() -> Result<(Self, [u8; 8]), Error> {
        let [a, b, c, d, e, f, g, h, salt @ ..]: [u8; 8 + SaltedKey::SALT_LEN] = random::array()?;
        Ok((Self(salt), [a, b, c, d, e, f, g, h]))
    }
}

impl SaltedKey {
    /// Random bytes in front of each message.
    pub const SALT_LEN: usize = 32;

    /// Bytes that sealing adds to a message.
    pub const OVERHEAD: usize = Self::SALT_LEN + TAG_LEN;

    /// A key of these bytes, which must be uniformly random.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] unless there are 32.
    pub fn new(key: &[u8]) -> Result<Self, Error> {
        if key.len() != KEY_LEN {
            return Err(Error::InvalidLength("a salted key of 32 bytes"));
        }
        Secret::new(key).map(Self)
    }

    /// Seals `plaintext` and puts salt, ciphertext and tag behind what `out` holds. The same `context` (which decides
    /// the key, any length) and `aad` open it again.
    ///
    /// # Errors
    /// [`Error::RandomFailed`]; `out` is as it was then.
    pub fn seal(&self, context: &[u8], aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.seal_with(Salt::random()?, context, aad, plaintext, out)
    }

    /// The same behind a salt that has been drawn.
    ///
    /// # Errors
    /// [`Error::Internal`] if the library fails; `out` is as it was then.
    pub fn seal_with(
        &self,
        Salt(salt): Salt,
        context: &[u8],
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (key, nonce) = self.message_key(context, &salt)?;
        let start = out.len();
        out.reserve_exact(plaintext.len().saturating_add(Self::OVERHEAD));
        out.extend_from_slice(&salt);
        out.extend_from_slice(plaintext);
        let body = out.get_mut(start.saturating_add(salt.len())..).unwrap_or_default();
        match key.seal_in_place_separate_tag(nonce, Aad::from(aad), body) {
            Ok(tag) => {
                out.extend_from_slice(tag.as_ref());
                Ok(())
            }
            Err(_) => {
                // What is cut off is plaintext still.
                crate::secret::erase(body);
                out.truncate(start);
                Err(Error::Internal("a message could not be sealed"))
            }
        }
    }

    /// Opens what [`seal`](Self::seal) made: salt, ciphertext and tag.
    ///
    /// # Errors
    /// [`Error::DecryptFailed`] for anything else.
    pub fn open(&self, context: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.open_for(context, aad, sealed, |plaintext| Zeroizing::new(plaintext.to_vec()))
    }

    /// As [`open`](Self::open), for a plaintext that is read where it lies: it is erased when `read` is done.
    ///
    /// # Errors
    /// As [`open`](Self::open); `read` is not called then.
    pub fn open_for<T>(
        &self,
        context: &[u8],
        aad: &[u8],
        sealed: &[u8],
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Error> {
        let (salt, sealed) = sealed.split_first_chunk().ok_or(Error::DecryptFailed)?;
        let (key, nonce) = self.message_key(context, salt)?;
        let (mut short, mut long) = ([0; SHORT], Vec::new());
        let body = match short.get_mut(..sealed.len()) {
            Some(room) => {
                room.copy_from_slice(sealed);
                room
            }
            None => {
                long.extend_from_slice(sealed);
                long.as_mut_slice()
            }
        };
        let body = Erased(body);
        key.open_in_place(nonce, Aad::from(aad), &mut *body.0)
            .map(|plaintext| read(plaintext))
            .map_err(|_| Error::DecryptFailed)
    }

    /// The key and nonce of the message that this salt stands in front of.
    fn message_key(
        &self,
        context: &[u8],
        salt: &[u8; Self::SALT_LEN],
    ) -> Result<(LessSafeKey, Nonce), Error> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        // The salt has a fixed length and stands last: no two inputs read alike.
        expand(Hash::Sha256, &self.0, &[LABEL, context, salt], key.as_mut_slice())?;
        let broken = Error::Internal("a message key of the wrong length");
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| broken)?;
        // A key of one message needs no nonce: one derived like it would differ exactly where the key does.
        Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key([0; NONCE_LEN])))
    }
}

/// Bytes that are erased when whoever reads them is done, however that ends.
struct Erased<'a>(&'a mut [u8]);

impl Drop for Erased<'_> {
    fn drop(&mut self) {
        crate::secret::erase(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &SaltedKey, plaintext: &[u8]) -> Vec<u8> {
        let mut out = b"front".to_vec();
        key.seal(b"context", b"aad", plaintext, &mut out).unwrap();
        assert_eq!(out.drain(..5).as_slice(), b"front");
        out
    }

    #[test]
    fn what_is_sealed_opens_and_no_two_seals_are_alike() {
        let key = SaltedKey::new(&[7; 32]).unwrap();
        for len in [0, 1, SHORT - 16, SHORT - 15, 1000] {
            let plaintext = vec![3; len];
            let (one, other) = (sealed(&key, &plaintext), sealed(&key, &plaintext));
            assert_eq!(one.len(), len + SaltedKey::OVERHEAD);
            assert_ne!(one, other);
            assert_eq!(*key.open(b"context", b"aad", &one).unwrap(), plaintext);
        }
    }

    #[test]
    fn what_was_read_is_erased() {
        let mut bytes = *b"secret";
        drop(Erased(&mut bytes));
        assert_eq!(bytes, [0; 6]);
    }

    #[test]
    fn a_salt_is_drawn_with_more_that_is_not_in_it() {
        let key = SaltedKey::new(&[7; 32]).unwrap();
        let (one, two) = (Salt::with_more().unwrap(), Salt::with_more().unwrap());
        assert!(one.0.0 != two.0.0 && one.1 != two.1);
        let (salt, more) = one;
        assert!(!salt.0.windows(more.len()).any(|window| window == more));
        let mut out = Vec::new();
        let bytes = salt.0;
        key.seal_with(salt, b"context", b"aad", b"secret", &mut out).unwrap();
        assert!(out.starts_with(&bytes));
        assert_eq!(**key.open(b"context", b"aad", &out).unwrap(), *b"secret");
    }

    #[test]
    fn another_key_context_aad_or_byte_does_not_open() {
        let key = SaltedKey::new(&[7; 32]).unwrap();
        let bytes = sealed(&key, b"secret");
        assert!(key.open(b"contexu", b"aad", &bytes).is_err());
        assert!(key.open(b"context", b"aae", &bytes).is_err());
        assert!(SaltedKey::new(&[8; 32]).unwrap().open(b"context", b"aad", &bytes).is_err());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(key.open(b"context", b"aad", &changed).is_err(), "{at}");
            assert!(key.open(b"context", b"aad", &bytes[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert!(SaltedKey::new(&[0; 31]).is_err());
        assert!(SaltedKey::new(&[0; 33]).is_err());
    }
}
