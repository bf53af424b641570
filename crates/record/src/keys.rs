//! Record keys: a traffic secret, the AEAD key made of it, its counter, and the way to its successor.

use core::fmt;
use core::ops::Range;

use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv, Iv, Nonces, OpeningKey, SealingKey, TAG_LEN};
use oxtls_crypto::{Error, Hash, Secret, hkdf};

use crate::error::RecordError;
use crate::header::HEADER_LEN;
use crate::limits::PROTECTED_OVERHEAD;
use crate::tls12;

/// The secret of one direction and what it is used with.
struct Traffic<Key> {
    hash: Hash,
    secret: Secret,
    key: Key,
}

impl<Key> Traffic<Key> {
    /// Derives the key and the IV (RFC 9846 section 7.3) and starts counting at zero.
    fn new(
        algorithm: AeadAlgorithm,
        hash: Hash,
        secret: Secret,
        key: impl FnOnce(AeadAlgorithm, &AeadKey, Nonces) -> Result<Key, Error>,
    ) -> Result<Self, Error> {
        let raw = AeadKey::expand_label(algorithm, hash, &secret, "key")?;
        let iv = Iv::expand_label(hash, &secret, "iv")?;
        let key = key(algorithm, &raw, Nonces::Xor(iv))?;
        Ok(Self { hash, secret, key })
    }

    /// The next generation's secret (RFC 9846 section 7.2).
    fn next_secret(&self) -> Result<Secret, Error> {
        hkdf::expand_label_secret(self.hash, &self.secret, "traffic upd", &[])
    }
}

/// A key of either direction that can [rest](SealingKey::rest).
trait Rests {
    fn rest(&mut self);
    fn is_resting(&self) -> bool;
    fn algorithm(&self) -> AeadAlgorithm;
    fn wake(&mut self, key: &AeadKey) -> Result<(), Error>;
}

macro_rules! rests {
    ($key:ty) => {
        impl Rests for $key {
            fn rest(&mut self) {
                self.rest();
            }

            #[inline]
            fn is_resting(&self) -> bool {
                self.is_resting()
            }

            fn algorithm(&self) -> AeadAlgorithm {
                self.algorithm()
            }

            fn wake(&mut self, key: &AeadKey) -> Result<(), Error> {
                self.wake(key)
            }
        }
    };
}

rests!(SealingKey);
rests!(OpeningKey);

impl<Key: Rests> Traffic<Key> {
    /// The key, whose cipher is made again if it rested.
    #[inline]
    fn awake(&mut self) -> Result<&mut Key, Error> {
        if self.key.is_resting() {
            self.wake()?;
        }
        Ok(&mut self.key)
    }

    #[cold]
    fn wake(&mut self) -> Result<(), Error> {
        let raw = AeadKey::expand_label(self.key.algorithm(), self.hash, &self.secret, "key")?;
        self.key.wake(&raw)
    }
}

impl<Key: Rests> Protection<Key> {
    /// Lets the key rest, if it can be made again.
    fn rest(&mut self) {
        if let Self::Tls13(traffic) = self {
            traffic.key.rest();
        }
    }
}

/// One way of protecting records for each version that differs in it.
enum Protection<Key> {
    Tls13(Traffic<Key>),
    Tls12(Key),
}

impl<Key> Protection<Key> {
    #[inline]
    fn key(&self) -> &Key {
        match self {
            Self::Tls13(traffic) => &traffic.key,
            Self::Tls12(key) => key,
        }
    }

    /// The traffic secret, which keys of TLS 1.2 have not.
    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Tls13(traffic) => Some(&traffic.secret),
            Self::Tls12(_) => None,
        }
    }

    /// TLS 1.2's way, which shows the content type and pads nothing.
    #[inline]
    fn is_tls12(&self) -> bool {
        matches!(self, Self::Tls12(_))
    }

    /// Moves on to the next generation's secret and key (RFC 9846 section 7.2).
    fn update(
        &mut self,
        algorithm: AeadAlgorithm,
        key: impl FnOnce(AeadAlgorithm, &AeadKey, Nonces) -> Result<Key, Error>,
    ) -> Result<(), Error> {
        let Self::Tls13(traffic) = self else {
            return Err(Error::Internal("a key of TLS 1.2 has no successor"));
        };
        *traffic = Traffic::new(algorithm, traffic.hash, traffic.next_secret()?, key)?;
        Ok(())
    }
}

/// A key that protects outgoing records, with its traffic secret and its counter.
pub struct WriteKey {
    protection: Protection<SealingKey>,
    limit: u64,
    early: bool,
}

impl WriteKey {
    /// The TLS 1.3 write key of `secret`, for a suite with this `algorithm` and `hash` (RFC 9846 section 7.3).
    ///
    /// # Errors
    /// None but defects of the cryptographic library, or memory that ran out.
    pub fn tls13(algorithm: AeadAlgorithm, hash: Hash, secret: Secret) -> Result<Self, Error> {
        let traffic = Traffic::new(algorithm, hash, secret, SealingKey::new)?;
        Ok(Self::new(Protection::Tls13(traffic), algorithm))
    }

    /// The TLS 1.2 write key out of a key block (RFC 5246 section 6.3).
    ///
    /// # Errors
    /// A key or IV that is not this algorithm's; defects of the cryptographic library.
    pub fn tls12(algorithm: AeadAlgorithm, key: &AeadKey, iv: &FixedIv) -> Result<Self, Error> {
        let key = SealingKey::new(algorithm, key, iv.nonces()?)?;
        Ok(Self::new(Protection::Tls12(key), algorithm))
    }

    fn new(protection: Protection<SealingKey>, algorithm: AeadAlgorithm) -> Self {
        Self { protection, limit: algorithm.confidentiality_limit(), early: false }
    }

    /// Marks a key as one for early data: no record_size_limit binds its records, as they may be under way before
    /// one is known (RFC 8449 section 4).
    #[must_use]
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    /// Lowers the number of records that this key and its successors may each seal, counted from its first; the
    /// algorithm's own limit can't be raised.
    #[must_use]
    pub fn with_limit(mut self, records: u64) -> Self {
        self.limit = self.limit.min(records);
        self
    }

    /// The sequence number of the next record.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.key().sequence()
    }

    /// How many more records may be sealed before the key must be updated (RFC 9846 section 5.5), the last
    /// [`RESERVED_RECORDS`](crate::limits::RESERVED_RECORDS) of them for handshake messages and alerts only.
    #[inline]
    #[must_use]
    pub fn records_left(&self) -> u64 {
        self.limit.saturating_sub(self.sequence())
    }

    /// The AEAD algorithm.
    #[must_use]
    pub fn algorithm(&self) -> AeadAlgorithm {
        self.key().algorithm()
    }

    /// The traffic secret, which keys of TLS 1.2 have not: for a key log, or for a kernel that takes the connection
    /// over together with [`WriteKey::sequence`].
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.protection.secret()
    }

    /// Moves on to the next generation (RFC 9846 section 7.2), counting from zero again. The old secret is erased.
    /// On an error nothing has changed.
    ///
    /// # Errors
    /// As [`WriteKey::tls13`].
    pub fn update(&mut self) -> Result<(), Error> {
        self.protection.update(self.algorithm(), SealingKey::new)
    }

    /// Erases the cipher's state, some 600 bytes in the library below, until the next record: for a connection that will
    /// be idle for a while. It is then made again of the secret, which takes about as long as two records of a few bytes.
    /// Keys of TLS 1.2, whose secret is not there any more, do not rest.
    pub fn rest(&mut self) {
        self.protection.rest();
    }

    #[inline]
    pub(crate) fn is_early(&self) -> bool {
        self.early
    }

    /// TLS 1.2's way, which shows the content type and pads nothing.
    #[inline]
    pub(crate) fn is_tls12(&self) -> bool {
        self.protection.is_tls12()
    }

    #[inline]
    fn key(&self) -> &SealingKey {
        self.protection.key()
    }

    /// What protection adds to unpadded content: header, tag, and inner content type (1.3) or nonce (1.2).
    #[inline]
    pub(crate) fn overhead(&self) -> usize {
        match &self.protection {
            Protection::Tls13(_) => PROTECTED_OVERHEAD,
            Protection::Tls12(key) => {
                HEADER_LEN.saturating_add(tls12::explicit_nonce_len(key.algorithm())).saturating_add(TAG_LEN)
            }
        }
    }

    /// Seals `content` and `tail` (inner content type and padding; nothing in 1.2) into `body`, which has exactly
    /// the room for them and what protection adds.
    #[inline]
    pub(crate) fn seal(
        &mut self,
        header: &[u8; HEADER_LEN],
        content: &[u8],
        tail: &[u8],
        body: &mut [u8],
    ) -> Result<(), Error> {
        match &mut self.protection {
            Protection::Tls13(traffic) => {
                let (ciphertext, tail_and_tag) = body
                    .split_at_mut_checked(content.len())
                    .ok_or(Error::InvalidLength("a record body as long as its content"))?;
                traffic.awake()?.seal_scatter(header, content, ciphertext, tail, tail_and_tag)
            }
            Protection::Tls12(key) => tls12::seal(key, header, content, body),
        }
    }
}

impl fmt::Debug for WriteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteKey")
            .field("tls12", &self.is_tls12())
            .field("key", self.key())
            .field("limit", &self.limit)
            .finish()
    }
}

/// A key that unprotects incoming records, with its traffic secret and its counter.
pub struct ReadKey {
    protection: Protection<OpeningKey>,
    early: bool,
}

impl ReadKey {
    /// The TLS 1.3 read key of `secret`, for a suite with this `algorithm` and `hash` (RFC 9846 section 7.3).
    ///
    /// # Errors
    /// None but defects of the cryptographic library, or memory that ran out.
    pub fn tls13(algorithm: AeadAlgorithm, hash: Hash, secret: Secret) -> Result<Self, Error> {
        let traffic = Traffic::new(algorithm, hash, secret, OpeningKey::new)?;
        Ok(Self { protection: Protection::Tls13(traffic), early: false })
    }

    /// The TLS 1.2 read key out of a key block (RFC 5246 section 6.3).
    ///
    /// # Errors
    /// A key or IV that is not this algorithm's; defects of the cryptographic library.
    pub fn tls12(algorithm: AeadAlgorithm, key: &AeadKey, iv: &FixedIv) -> Result<Self, Error> {
        let key = OpeningKey::new(algorithm, key, iv.nonces()?)?;
        Ok(Self { protection: Protection::Tls12(key), early: false })
    }

    /// Marks a key as one for early data: our record_size_limit does not bind its records, as the peer may have sent
    /// them before it knew the limit.
    #[must_use]
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    /// The sequence number of the next record.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.key().sequence()
    }

    /// How many more records the peer should seal before it updates its key (RFC 9846 section 5.5). A peer that goes
    /// on past zero harms its own secrecy; asking it for a KeyUpdate in time is up to the caller.
    #[inline]
    #[must_use]
    pub fn records_left(&self) -> u64 {
        self.algorithm().confidentiality_limit().saturating_sub(self.sequence())
    }

    /// The AEAD algorithm.
    #[must_use]
    pub fn algorithm(&self) -> AeadAlgorithm {
        self.key().algorithm()
    }

    /// The traffic secret, which keys of TLS 1.2 have not: for a key log, or for a kernel that takes the connection
    /// over together with [`ReadKey::sequence`].
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        self.protection.secret()
    }

    /// Moves on to the next generation (RFC 9846 section 7.2), counting from zero again. The old secret is erased.
    /// On an error nothing has changed.
    ///
    /// # Errors
    /// As [`ReadKey::tls13`].
    pub fn update(&mut self) -> Result<(), Error> {
        self.protection.update(self.algorithm(), OpeningKey::new)
    }

    /// Erases the cipher's state, some 600 bytes in the library below, until the next record: for a connection that will
    /// be idle for a while. It is then made again of the secret, which takes about as long as two records of a few bytes.
    /// Keys of TLS 1.2, whose secret is not there any more, do not rest.
    pub fn rest(&mut self) {
        self.protection.rest();
    }

    #[inline]
    pub(crate) fn is_early(&self) -> bool {
        self.early
    }

    /// TLS 1.2's way, which shows the content type and pads nothing.
    #[inline]
    pub(crate) fn is_tls12(&self) -> bool {
        self.protection.is_tls12()
    }

    #[inline]
    fn key(&self) -> &OpeningKey {
        self.protection.key()
    }

    /// Opens `body` in place; the plaintext (in 1.3 the inner one) is then at this range of it.
    #[inline]
    pub(crate) fn open_in_place(
        &mut self,
        header: &[u8; HEADER_LEN],
        body: &mut [u8],
    ) -> Result<Range<usize>, RecordError> {
        match &mut self.protection {
            Protection::Tls13(traffic) => Ok(0..traffic.awake()?.open_in_place(header, body)?),
            Protection::Tls12(key) => tls12::open_in_place(key, header, body),
        }
    }

    /// Opens `body` into the front of `out`; the plaintext (in 1.3 the inner one) is this long.
    #[inline]
    pub(crate) fn open_into(
        &mut self,
        header: &[u8; HEADER_LEN],
        body: &[u8],
        out: &mut [u8],
    ) -> Result<usize, RecordError> {
        let traffic = match &mut self.protection {
            Protection::Tls13(traffic) => traffic,
            Protection::Tls12(key) => return tls12::open_into(key, header, body, out),
        };
        let (ciphertext, tag) = body.split_last_chunk::<TAG_LEN>().ok_or(RecordError::DecryptFailed)?;
        let needed = ciphertext.len();
        let out = out.get_mut(..needed).ok_or(RecordError::OutputTooSmall { needed })?;
        traffic.awake()?.open_separate(header, ciphertext, tag, out)?;
        Ok(needed)
    }
}

impl fmt::Debug for ReadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadKey").field("tls12", &self.is_tls12()).field("key", self.key()).finish()
    }
}
