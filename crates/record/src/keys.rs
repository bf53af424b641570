//! Record keys: a traffic secret, the AEAD key made of it, its counter, and the way to its successor.

use core::fmt;
use core::ops::Range;

use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv, Iv, Nonces, OpeningKey, SealingKey, TAG_LEN};
use oxtls_crypto::{Error, Hash, Secret, TrafficSecret, hkdf};

use crate::error::RecordError;
use crate::header::HEADER_LEN;
use crate::limits::PROTECTED_OVERHEAD;
use crate::tls12;

/// A limit that is none: no algorithm's is this number.
const NO_LIMIT: u32 = u32::MAX;

/// The cipher of either direction, with its counter, as the library's floor has it.
trait Cipher {
    fn resting(algorithm: AeadAlgorithm) -> Self;
    fn rest(&mut self);
    fn is_resting(&self) -> bool;
    fn algorithm(&self) -> AeadAlgorithm;
    fn sequence(&self) -> u64;
    fn wake(&mut self, key: &AeadKey, nonces: Nonces) -> Result<(), Error>;
}

macro_rules! cipher {
    ($key:ty) => {
        impl Cipher for $key {
            fn resting(algorithm: AeadAlgorithm) -> Self {
                Self::resting(algorithm)
            }

            fn rest(&mut self) {
                self.rest();
            }

            #[inline]
            fn is_resting(&self) -> bool {
                self.is_resting()
            }

            #[inline]
            fn algorithm(&self) -> AeadAlgorithm {
                self.algorithm()
            }

            #[inline]
            fn sequence(&self) -> u64 {
                self.sequence()
            }

            fn wake(&mut self, key: &AeadKey, nonces: Nonces) -> Result<(), Error> {
                self.wake(key, nonces)
            }
        }
    };
}

cipher!(SealingKey);
cipher!(OpeningKey);

/// The protection of one direction: 104 bytes, of which an established connection holds two for as long as it lives.
struct Protection<Key> {
    key: Key,
    /// What `key` is made of, and its successors; in TLS 1.2, which has no such secret, `None`.
    secret: Option<TrafficSecret>,
    hash: Hash,
    early: bool,
    /// Records that each generation may seal; [`NO_LIMIT`]: as many as can be counted.
    limit: u32,
}

impl<Key: Cipher> Protection<Key> {
    /// TLS 1.3's. The cipher is made when it is first needed: that may be never, and its state is most of what a
    /// connection holds.
    fn tls13(algorithm: AeadAlgorithm, hash: Hash, secret: &Secret) -> Result<Self, Error> {
        let key = Key::resting(algorithm);
        Ok(Self { secret: Some(TrafficSecret::of(secret)?), hash, ..Self::of(key, algorithm) })
    }

    /// TLS 1.2's.
    fn of(key: Key, algorithm: AeadAlgorithm) -> Self {
        let limit = u32::try_from(algorithm.confidentiality_limit()).unwrap_or(NO_LIMIT);
        Self { key, secret: None, hash: Hash::Sha256, early: false, limit }
    }

    /// TLS 1.2's way, which shows the content type and pads nothing.
    #[inline]
    fn is_tls12(&self) -> bool {
        self.secret.is_none()
    }

    #[inline]
    fn records_left(&self) -> u64 {
        let limit = if self.limit == NO_LIMIT { u64::MAX } else { self.limit.into() };
        limit.saturating_sub(self.key.sequence())
    }

    /// The key, whose cipher is made if it rests.
    #[inline]
    fn awake(&mut self) -> Result<&mut Key, Error> {
        if self.key.is_resting() {
            self.wake()?;
        }
        Ok(&mut self.key)
    }

    /// Derives the key and the IV (RFC 9846 section 7.3).
    #[cold]
    fn wake(&mut self) -> Result<(), Error> {
        let secret = self.secret.as_ref().ok_or(Error::Internal("a key of TLS 1.2 rests"))?.to_secret();
        let key = AeadKey::expand_label(self.key.algorithm(), self.hash, &secret, "key")?;
        let iv = Iv::expand_label(self.hash, &secret, "iv")?;
        self.key.wake(&key, Nonces::Xor(iv))
    }

    /// Lets the key rest, if it can be made again.
    fn rest(&mut self) {
        if !self.is_tls12() {
            self.key.rest();
        }
    }

    /// Moves on to the next generation's secret and key (RFC 9846 section 7.2), counting from zero.
    fn update(&mut self) -> Result<(), Error> {
        const NO_SUCCESSOR: Error = Error::Internal("a key of TLS 1.2 has no successor");
        let secret = self.secret.as_ref().ok_or(NO_SUCCESSOR)?.to_secret();
        let next = hkdf::expand_label_secret(self.hash, &secret, "traffic upd", &[])?;
        self.secret = Some(TrafficSecret::of(&next)?);
        self.key = Key::resting(self.key.algorithm());
        Ok(())
    }

    fn fmt(&self, name: &str, key: &dyn fmt::Debug, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("tls12", &self.is_tls12())
            .field("key", key)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A key that protects outgoing records, with its traffic secret and its counter.
pub struct WriteKey(Protection<SealingKey>);

impl WriteKey {
    /// The TLS 1.3 write key of `secret`, for a suite with this `algorithm` and `hash` (RFC 9846 section 7.3). Its cipher is
    /// made with the first record.
    ///
    /// # Errors
    /// A secret that is longer than any of TLS 1.3's.
    #[allow(clippy::needless_pass_by_value, reason = "the secret is the key's from here on, and erased")]
    pub fn tls13(algorithm: AeadAlgorithm, hash: Hash, secret: Secret) -> Result<Self, Error> {
        Protection::tls13(algorithm, hash, &secret).map(Self)
    }

    /// The TLS 1.2 write key out of a key block (RFC 5246 section 6.3).
    ///
    /// # Errors
    /// A key or IV that is not this algorithm's; defects of the cryptographic library.
    pub fn tls12(algorithm: AeadAlgorithm, key: &AeadKey, iv: &FixedIv) -> Result<Self, Error> {
        let key = SealingKey::new(algorithm, key, iv.nonces()?)?;
        Ok(Self(Protection::of(key, algorithm)))
    }

    /// Marks a key as one for early data: no record_size_limit binds its records, as they may be under way before
    /// one is known (RFC 8449 section 4).
    #[must_use]
    pub fn early(mut self) -> Self {
        self.0.early = true;
        self
    }

    /// Lowers the number of records that this key and its successors may each seal, counted from its first; the
    /// algorithm's own limit can't be raised. More than 2^32 - 2 counts as so many.
    #[must_use]
    pub fn with_limit(mut self, records: u64) -> Self {
        let records = u32::try_from(records).unwrap_or(NO_LIMIT).min(NO_LIMIT - 1);
        self.0.limit = self.0.limit.min(records);
        self
    }

    /// The sequence number of the next record.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.0.key.sequence()
    }

    /// How many more records may be sealed before the key must be updated (RFC 9846 section 5.5), the last
    /// [`RESERVED_RECORDS`](crate::limits::RESERVED_RECORDS) of them for handshake messages and alerts only.
    #[inline]
    #[must_use]
    pub fn records_left(&self) -> u64 {
        self.0.records_left()
    }

    /// The AEAD algorithm.
    #[must_use]
    pub fn algorithm(&self) -> AeadAlgorithm {
        self.0.key.algorithm()
    }

    /// The traffic secret, which keys of TLS 1.2 have not: for a key log, or for a kernel that takes the connection
    /// over together with [`WriteKey::sequence`].
    #[must_use]
    pub fn secret(&self) -> Option<Secret> {
        self.0.secret.as_ref().map(TrafficSecret::to_secret)
    }

    /// Moves on to the next generation (RFC 9846 section 7.2), counting from zero again. The old secret is erased.
    /// On an error nothing has changed.
    ///
    /// # Errors
    /// As [`WriteKey::tls13`].
    pub fn update(&mut self) -> Result<(), Error> {
        self.0.update()
    }

    /// Erases the cipher's state, some 600 bytes in the library below, until the next record: for a connection that will
    /// be idle for a while. It is then made again of the secret, which takes about as long as two records of a few bytes.
    /// Keys of TLS 1.2, whose secret is not there any more, do not rest.
    pub fn rest(&mut self) {
        self.0.rest();
    }

    #[inline]
    pub(crate) fn is_early(&self) -> bool {
        self.0.early
    }

    /// TLS 1.2's way, which shows the content type and pads nothing.
    #[inline]
    pub(crate) fn is_tls12(&self) -> bool {
        self.0.is_tls12()
    }

    /// What protection adds to unpadded content: header, tag, and inner content type (1.3) or nonce (1.2).
    #[inline]
    pub(crate) fn overhead(&self) -> usize {
        if !self.is_tls12() {
            return PROTECTED_OVERHEAD;
        }
        HEADER_LEN.saturating_add(tls12::explicit_nonce_len(self.algorithm())).saturating_add(TAG_LEN)
    }

    /// Where in a record's body the content is to lie.
    #[inline]
    pub(crate) fn content_start(&self) -> usize {
        if self.is_tls12() { tls12::explicit_nonce_len(self.algorithm()) } else { 0 }
    }

    /// Seals `content` and `tail` (inner content type and padding; nothing in 1.2) into `body`, which has exactly
    /// the room for them and what protection adds.
    #[inline(always)]
    pub(crate) fn seal(
        &mut self,
        header: &[u8; HEADER_LEN],
        content: Content<'_>,
        tail: &[u8],
        body: &mut [u8],
    ) -> Result<(), Error> {
        if self.is_tls12() {
            return tls12::seal(&mut self.0.key, header, content, body);
        }
        let (ciphertext, tail_and_tag) = body
            .split_at_mut_checked(content.len())
            .ok_or(Error::InvalidLength("a record body as long as its content"))?;
        content.seal(self.0.awake()?, header, ciphertext, tail, tail_and_tag)
    }
}

/// Where a record's content is before it is sealed.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    /// In the caller's memory.
    Apart(&'a [u8]),
    /// So many bytes of it, where the ciphertext is to be.
    InPlace(usize),
}

impl Content<'_> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Apart(content) => content.len(),
            Self::InPlace(len) => *len,
        }
    }

    /// Seals it into `ciphertext`, and `tail` and the tag behind it.
    #[inline(always)]
    pub(crate) fn seal(
        self,
        key: &mut SealingKey,
        data: &[u8],
        ciphertext: &mut [u8],
        tail: &[u8],
        tail_and_tag: &mut [u8],
    ) -> Result<(), Error> {
        match self {
            Self::Apart(content) => key.seal_scatter(data, content, ciphertext, tail, tail_and_tag),
            Self::InPlace(_) => key.seal_in_place_scatter(data, ciphertext, tail, tail_and_tag),
        }
    }
}

impl fmt::Debug for WriteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("WriteKey", &self.0.key, f)
    }
}

/// A key that unprotects incoming records, with its traffic secret and its counter.
pub struct ReadKey(Protection<OpeningKey>);

impl ReadKey {
    /// The TLS 1.3 read key of `secret`, for a suite with this `algorithm` and `hash` (RFC 9846 section 7.3). Its cipher is
    /// made with the first record.
    ///
    /// # Errors
    /// A secret that is longer than any of TLS 1.3's.
    #[allow(clippy::needless_pass_by_value, reason = "the secret is the key's from here on, and erased")]
    pub fn tls13(algorithm: AeadAlgorithm, hash: Hash, secret: Secret) -> Result<Self, Error> {
        Protection::tls13(algorithm, hash, &secret).map(Self)
    }

    /// The TLS 1.2 read key out of a key block (RFC 5246 section 6.3).
    ///
    /// # Errors
    /// A key or IV that is not this algorithm's; defects of the cryptographic library.
    pub fn tls12(algorithm: AeadAlgorithm, key: &AeadKey, iv: &FixedIv) -> Result<Self, Error> {
        let key = OpeningKey::new(algorithm, key, iv.nonces()?)?;
        Ok(Self(Protection::of(key, algorithm)))
    }

    /// Marks a key as one for early data: our record_size_limit does not bind its records, as the peer may have sent
    /// them before it knew the limit.
    #[must_use]
    pub fn early(mut self) -> Self {
        self.0.early = true;
        self
    }

    /// The sequence number of the next record.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.0.key.sequence()
    }

    /// How many more records the peer should seal before it updates its key (RFC 9846 section 5.5). A peer that goes
    /// on past zero harms its own secrecy; asking it for a KeyUpdate in time is up to the caller.
    #[inline]
    #[must_use]
    pub fn records_left(&self) -> u64 {
        self.0.records_left()
    }

    /// The AEAD algorithm.
    #[must_use]
    pub fn algorithm(&self) -> AeadAlgorithm {
        self.0.key.algorithm()
    }

    /// The traffic secret, which keys of TLS 1.2 have not: for a key log, or for a kernel that takes the connection
    /// over together with [`ReadKey::sequence`].
    #[must_use]
    pub fn secret(&self) -> Option<Secret> {
        self.0.secret.as_ref().map(TrafficSecret::to_secret)
    }

    /// Moves on to the next generation (RFC 9846 section 7.2), counting from zero again. The old secret is erased.
    /// On an error nothing has changed.
    ///
    /// # Errors
    /// As [`ReadKey::tls13`].
    pub fn update(&mut self) -> Result<(), Error> {
        self.0.update()
    }

    /// Erases the cipher's state, some 600 bytes in the library below, until the next record: for a connection that will
    /// be idle for a while. It is then made again of the secret, which takes about as long as two records of a few bytes.
    /// Keys of TLS 1.2, whose secret is not there any more, do not rest.
    pub fn rest(&mut self) {
        self.0.rest();
    }

    #[inline]
    pub(crate) fn is_early(&self) -> bool {
        self.0.early
    }

    /// TLS 1.2's way, which shows the content type and pads nothing.
    #[inline]
    pub(crate) fn is_tls12(&self) -> bool {
        self.0.is_tls12()
    }

    /// Opens `body` in place, as TLS 1.3 has it; the inner plaintext is then at its front.
    #[inline(always)]
    pub(crate) fn open_in_place<'a>(
        &mut self,
        header: &[u8; HEADER_LEN],
        body: &'a mut [u8],
    ) -> Result<&'a [u8], RecordError> {
        let len = self.0.awake()?.open_in_place(header, body)?;
        Ok(body.get(..len).unwrap_or_default())
    }

    /// Opens `body` in place, as TLS 1.2 has it; the content is then at this range of it.
    #[inline(always)]
    pub(crate) fn open_in_place_tls12(
        &mut self,
        header: &[u8; HEADER_LEN],
        body: &mut [u8],
    ) -> Result<Range<usize>, RecordError> {
        tls12::open_in_place(&mut self.0.key, header, body)
    }

    /// Opens `body` into the front of `out`; the plaintext (in 1.3 the inner one) is this long.
    #[inline(always)]
    pub(crate) fn open_into(
        &mut self,
        header: &[u8; HEADER_LEN],
        body: &[u8],
        out: &mut [u8],
    ) -> Result<usize, RecordError> {
        if self.is_tls12() {
            return tls12::open_into(&mut self.0.key, header, body, out);
        }
        let (ciphertext, tag) = body.split_last_chunk::<TAG_LEN>().ok_or(RecordError::DecryptFailed)?;
        let needed = ciphertext.len();
        let out = out.get_mut(..needed).ok_or(RecordError::OutputTooSmall { needed })?;
        self.0.awake()?.open_separate(header, ciphertext, tag, out)?;
        Ok(needed)
    }
}

impl fmt::Debug for ReadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("ReadKey", &self.0.key, f)
    }
}
