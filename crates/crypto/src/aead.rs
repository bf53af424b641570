//! Record protection keys that own their counter (RFC 9846 section 5.3, RFC 5288, RFC 7905).
//!
//! A nonce that is used twice under one key gives the key away (AES-GCM) or the plaintexts (all of them). So a nonce
//! cannot be passed in for sealing: a key makes it from its own sequence number, which only ever grows, which moves
//! when and only when a record was sealed or opened, and which is refused at its end instead of wrapping.
//!
//! ```
//! use oxtls_crypto::{AeadAlgorithm, AeadKey, Hash, Iv, Nonces, OpeningKey, SealingKey, Secret, aead::TAG_LEN};
//!
//! # fn main() -> Result<(), oxtls_crypto::Error> {
//! let secret = Secret::new(&oxtls_crypto::random::array::<32>()?)?;
//! let algorithm = AeadAlgorithm::Aes128Gcm;
//! let key = AeadKey::expand_label(algorithm, Hash::Sha256, &secret, "key")?;
//! let iv = || Iv::expand_label(Hash::Sha256, &secret, "iv").map(Nonces::Xor);
//! let mut sealing = SealingKey::new(algorithm, &key, iv()?)?;
//! let mut opening = OpeningKey::new(algorithm, &key, iv()?)?;
//!
//! let mut record = [0; 5 + TAG_LEN];
//! let (ciphertext, tag) = record.split_at_mut(5);
//! sealing.seal_scatter(b"header", b"hello", ciphertext, &[], tag)?;
//!
//! let len = opening.open_in_place(b"header", &mut record)?;
//! assert_eq!(record.get(..len), Some(b"hello".as_slice()));
//! # Ok(())
//! # }
//! ```

mod algorithm;
mod material;

use core::fmt;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::ZeroizeOnDrop;

pub use self::algorithm::{AeadAlgorithm, NONCE_LEN, TAG_LEN};
pub use self::material::{AeadKey, FixedIv, Iv, Nonces};
use crate::error::Error;
use crate::secret::erase;

/// What both directions are made of: the key, the recipe for nonces and the counter.
struct RecordKey {
    /// `None`: the key rests.
    key: Option<LessSafeKey>,
    /// The IV's first four bytes, which no counter touches, or the salt.
    head: [u8; 4],
    /// The IV's last eight bytes; zero where they travel with the record. One XOR then serves both kinds.
    tail: [u8; 8],
    explicit: bool,
    sequence: u64,
    algorithm: AeadAlgorithm,
}

impl RecordKey {
    fn new(algorithm: AeadAlgorithm, key: &AeadKey, nonces: &Nonces) -> Result<Self, Error> {
        let mut new = Self::resting(algorithm);
        new.wake(key, nonces)?;
        Ok(new)
    }

    /// One that waits for its key.
    const fn resting(algorithm: AeadAlgorithm) -> Self {
        Self { key: None, head: [0; 4], tail: [0; 8], explicit: false, sequence: 0, algorithm }
    }

    fn cipher_of(algorithm: AeadAlgorithm, key: &AeadKey) -> Result<LessSafeKey, Error> {
        let unbound = UnboundKey::new(algorithm.algorithm(), key.as_bytes());
        Ok(LessSafeKey::new(unbound.map_err(|_| AeadKey::WRONG_LENGTH)?))
    }

    #[inline]
    fn cipher(&self) -> Result<&LessSafeKey, Error> {
        self.key.as_ref().ok_or(RESTING)
    }

    /// The cipher, of the key that is its own, and the recipe for nonces.
    fn wake(&mut self, key: &AeadKey, nonces: &Nonces) -> Result<(), Error> {
        self.key = Some(Self::cipher_of(self.algorithm, key)?);
        (self.head, self.tail, self.explicit) = match nonces {
            Nonces::Xor(iv) => {
                let [a, b, c, d, tail @ ..] = *iv.as_bytes();
                ([a, b, c, d], tail, false)
            }
            Nonces::Explicit(salt) => (*salt, [0; 8], true),
        };
        Ok(())
    }

    /// The nonce for `counter`: this key's sequence number, or an explicit nonce off the wire. It erases itself, byte by byte:
    /// made where something could still fail, it would be built byte by byte too.
    #[inline]
    fn nonce(&self, counter: u64) -> Nonce {
        let [a, b, c, d] = self.head;
        let [e, f, g, h, i, j, k, l] = (u64::from_be_bytes(self.tail) ^ counter).to_be_bytes();
        Nonce::assume_unique_for_key([a, b, c, d, e, f, g, h, i, j, k, l])
    }

    /// The sequence number after this one. The last one is never used, so that it cannot be followed by a wrap.
    #[inline]
    fn successor(&self) -> Result<u64, Error> {
        self.sequence.checked_add(1).ok_or(Error::CounterExhausted)
    }

    /// Moves the counter forward, never back.
    fn skip_to(&mut self, sequence: u64) -> Result<(), Error> {
        if sequence < self.sequence {
            return Err(Error::Internal("a sequence number may not go back"));
        }
        self.sequence = sequence;
        Ok(())
    }

    fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("algorithm", &self.algorithm)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl Drop for RecordKey {
    fn drop(&mut self) {
        // The library erases the key when its context is freed.
        erase(&mut self.head);
        erase(&mut self.tail);
    }
}

/// A key that seals records, each under the next sequence number.
pub struct SealingKey(RecordKey);

impl SealingKey {
    /// A key whose next record has sequence number 0.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] if `key` was made for an algorithm with another key length.
    pub fn new(algorithm: AeadAlgorithm, key: &AeadKey, nonces: Nonces) -> Result<Self, Error> {
        RecordKey::new(algorithm, key, &nonces).map(Self)
    }

    /// The algorithm.
    #[inline]
    #[must_use]
    pub fn algorithm(&self) -> AeadAlgorithm {
        self.0.algorithm
    }

    /// The sequence number of the next record.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.0.sequence
    }

    /// How many records the counter has left. (The algorithm's [`AeadAlgorithm::confidentiality_limit`] may come
    /// earlier.)
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> u64 {
        u64::MAX.saturating_sub(self.0.sequence)
    }

    /// Leaves sequence numbers out: the next record has number `sequence`. For a key that goes on after someone else
    /// (a kernel, a device) has sealed with it.
    ///
    /// # Errors
    /// [`Error::Internal`] if that would go back: a nonce would be used twice.
    pub fn skip_to(&mut self, sequence: u64) -> Result<(), Error> {
        self.0.skip_to(sequence)
    }

    /// The eight bytes that must travel with the next record, for a key with [`Nonces::Explicit`].
    #[inline]
    #[must_use]
    pub fn next_explicit_nonce(&self) -> Option<[u8; 8]> {
        self.0.explicit.then_some(self.0.sequence.to_be_bytes())
    }

    /// Seals the concatenation of `plaintext` and `extra_in`: the ciphertext of the first goes to `ciphertext` (of the
    /// same length), that of the second and the tag to `extra_out_and_tag` ([`TAG_LEN`] longer than `extra_in`).
    ///
    /// Uses up a sequence number only if it succeeds.
    ///
    /// # Errors
    /// [`Error::CounterExhausted`]; [`Error::InvalidLength`] if the lengths do not match.
    #[inline]
    pub fn seal_scatter(
        &mut self,
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
        extra_in: &[u8],
        extra_out_and_tag: &mut [u8],
    ) -> Result<(), Error> {
        let successor = self.0.successor()?;
        self.0
            .cipher()?
            .seal_out_of_place_scatter(
                self.0.nonce(self.0.sequence),
                Aad::from(aad),
                plaintext,
                ciphertext,
                extra_in,
                extra_out_and_tag,
            )
            .map_err(|_| SEAL_LENGTHS)?;
        self.0.sequence = successor;
        Ok(())
    }

    /// As [`SealingKey::seal_scatter`], with the plaintext replaced by its ciphertext.
    ///
    /// # Errors
    /// As [`SealingKey::seal_scatter`].
    #[inline]
    pub fn seal_in_place_scatter(
        &mut self,
        aad: &[u8],
        in_out: &mut [u8],
        extra_in: &[u8],
        extra_out_and_tag: &mut [u8],
    ) -> Result<(), Error> {
        let successor = self.0.successor()?;
        self.0
            .cipher()?
            .seal_in_place_scatter(
                self.0.nonce(self.0.sequence),
                Aad::from(aad),
                in_out,
                extra_in,
                extra_out_and_tag,
            )
            .map_err(|_| SEAL_LENGTHS)?;
        self.0.sequence = successor;
        Ok(())
    }
}

/// Whoever lets a key rest wakes it.
const RESTING: Error = Error::Internal("a record key is used while it rests");

/// What a key of either direction can do while it is not needed: its cipher's state, which in the library below takes
/// some 600 bytes, is not there, and what counts is: the number of the next record.
macro_rules! resting {
    ($key:ty) => {
        impl $key {
            /// A key that rests from the start, for a direction that may never be used: the next record has sequence
            /// number 0, and nothing can be done with the key until it is [woken](Self::wake).
            #[must_use]
            pub const fn resting(algorithm: AeadAlgorithm) -> Self {
                Self(RecordKey::resting(algorithm))
            }

            /// Erases the cipher's state. Nothing can be done with the key until it is [woken](Self::wake).
            pub fn rest(&mut self) {
                self.0.key = None;
            }

            /// Whether it rests.
            #[inline]
            #[must_use]
            pub fn is_resting(&self) -> bool {
                self.0.key.is_none()
            }

            /// Makes the cipher's state, of this key and these nonces: the very ones that it had before, if it had any,
            /// which nobody here remembers. The next record has the number that it would have had.
            ///
            /// # Errors
            /// [`Error::InvalidLength`] for a key of another algorithm.
            pub fn wake(&mut self, key: &AeadKey, nonces: Nonces) -> Result<(), Error> {
                self.0.wake(key, &nonces)
            }
        }
    };
}

resting!(SealingKey);
resting!(OpeningKey);

/// The one way for sealing to fail: the library checks nothing else.
const SEAL_LENGTHS: Error =
    Error::InvalidLength("an output as long as the plaintext, and a tag's room after it");

impl ZeroizeOnDrop for SealingKey {}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("SealingKey", f)
    }
}

/// A key that opens records, each expected to have the next sequence number.
///
/// A record that fails to open leaves the key as it was: an endpoint that skips early data it cannot read (RFC 9846
/// section 4.3.10) tries record after record under one key.
pub struct OpeningKey(RecordKey);

impl OpeningKey {
    /// A key whose next record has sequence number 0.
    ///
    /// # Errors
    /// [`Error::InvalidLength`] if `key` was made for an algorithm with another key length.
    pub fn new(algorithm: AeadAlgorithm, key: &AeadKey, nonces: Nonces) -> Result<Self, Error> {
        RecordKey::new(algorithm, key, &nonces).map(Self)
    }

    /// The algorithm.
    #[inline]
    #[must_use]
    pub fn algorithm(&self) -> AeadAlgorithm {
        self.0.algorithm
    }

    /// The sequence number of the next record.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.0.sequence
    }

    /// How many records the counter has left.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> u64 {
        u64::MAX.saturating_sub(self.0.sequence)
    }

    /// Leaves sequence numbers out: the next record has number `sequence`. Never back, so that no record is accepted
    /// twice.
    ///
    /// # Errors
    /// [`Error::Internal`] if that would go back.
    pub fn skip_to(&mut self, sequence: u64) -> Result<(), Error> {
        self.0.skip_to(sequence)
    }

    /// Opens a ciphertext followed by its tag in place. The plaintext is then at the front of the buffer; its length
    /// is returned. What a failure leaves in the buffer is nobody's plaintext and must not be used.
    ///
    /// Uses up a sequence number only if it succeeds.
    ///
    /// # Errors
    /// [`Error::DecryptFailed`], a buffer shorter than a tag included; [`Error::CounterExhausted`].
    #[inline(always)]
    pub fn open_in_place(&mut self, aad: &[u8], ciphertext_and_tag: &mut [u8]) -> Result<usize, Error> {
        let counter = self.implicit_counter()?;
        self.open_in_place_at(counter, aad, ciphertext_and_tag)
    }

    /// As [`OpeningKey::open_in_place`], for a key with [`Nonces::Explicit`]: `explicit` came with the record.
    ///
    /// # Errors
    /// As [`OpeningKey::open_in_place`]; [`Error::Internal`] if the key makes its nonces itself.
    #[inline]
    pub fn open_in_place_explicit(
        &mut self,
        aad: &[u8],
        ciphertext_and_tag: &mut [u8],
        explicit: [u8; 8],
    ) -> Result<usize, Error> {
        let counter = self.explicit_counter(explicit)?;
        self.open_in_place_at(counter, aad, ciphertext_and_tag)
    }

    /// Opens `ciphertext`, authenticated by `tag`, into `out`, which must have the ciphertext's length. What a failure
    /// leaves in `out` must not be used.
    ///
    /// Uses up a sequence number only if it succeeds.
    ///
    /// # Errors
    /// [`Error::DecryptFailed`]; [`Error::InvalidLength`] if `out` has another length; [`Error::CounterExhausted`].
    #[inline(always)]
    pub fn open_separate(
        &mut self,
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
        out: &mut [u8],
    ) -> Result<(), Error> {
        let counter = self.implicit_counter()?;
        self.open_separate_at(counter, aad, (ciphertext, tag), out)
    }

    /// As [`OpeningKey::open_separate`], for a key with [`Nonces::Explicit`]: `explicit` came with the record.
    ///
    /// # Errors
    /// As [`OpeningKey::open_separate`]; [`Error::Internal`] if the key makes its nonces itself.
    #[inline]
    pub fn open_separate_explicit(
        &mut self,
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8],
        out: &mut [u8],
        explicit: [u8; 8],
    ) -> Result<(), Error> {
        let counter = self.explicit_counter(explicit)?;
        self.open_separate_at(counter, aad, (ciphertext, tag), out)
    }

    #[inline]
    fn implicit_counter(&self) -> Result<u64, Error> {
        if self.0.explicit {
            Err(Error::Internal("the nonce must come with the record"))
        } else {
            Ok(self.0.sequence)
        }
    }

    #[inline]
    fn explicit_counter(&self, explicit: [u8; 8]) -> Result<u64, Error> {
        if self.0.explicit {
            Ok(u64::from_be_bytes(explicit))
        } else {
            Err(Error::Internal("the nonce may not come with the record"))
        }
    }

    #[inline(always)]
    fn open_in_place_at(
        &mut self,
        counter: u64,
        aad: &[u8],
        ciphertext_and_tag: &mut [u8],
    ) -> Result<usize, Error> {
        let successor = self.0.successor()?;
        let (in_out, tag) =
            ciphertext_and_tag.split_last_chunk_mut::<TAG_LEN>().ok_or(Error::DecryptFailed)?;
        self.0
            .cipher()?
            .open_in_place_separate_tag(self.0.nonce(counter), Aad::from(aad), tag, in_out)
            .map_err(|_| Error::DecryptFailed)?;
        self.0.sequence = successor;
        Ok(in_out.len())
    }

    #[inline(always)]
    fn open_separate_at(
        &mut self,
        counter: u64,
        aad: &[u8],
        (ciphertext, tag): (&[u8], &[u8]),
        out: &mut [u8],
    ) -> Result<(), Error> {
        let successor = self.0.successor()?;
        // A shorter tag would be a cheaper forgery; the library's own check is not relied on.
        if tag.len() != TAG_LEN {
            return Err(Error::DecryptFailed);
        }
        if out.len() != ciphertext.len() {
            return Err(Error::InvalidLength("an output as long as the ciphertext"));
        }
        self.0
            .cipher()?
            .open_separate_gather(self.0.nonce(counter), Aad::from(aad), ciphertext, tag, out)
            .map_err(|_| Error::DecryptFailed)?;
        self.0.sequence = successor;
        Ok(())
    }
}

impl ZeroizeOnDrop for OpeningKey {}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("OpeningKey", f)
    }
}
