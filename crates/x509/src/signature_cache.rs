//! Certificate signatures that were verified before (RFC 5280 section 6.1.3 (a)(1)) need not be verified again.
//!
//! # What it holds, and why that is safe
//!
//! An entry says one thing: *this signature over these bytes verified under this key*. It is a digest over the
//! AlgorithmIdentifier of the signature, the issuer's SubjectPublicKeyInfo, the signed bytes and the signature itself,
//! the lengths of all before them. Whether a signature verifies depends on nothing else and never changes, so a hit is
//! exactly an earlier success. Everything that does change (time, names, usage, constraints, revocation, policy, which
//! anchors there are) is checked every time, with and without a cache, and so is the budget: a hit is charged like a
//! verification, so the verdict on a chain does not depend on what was seen before.
//!
//! What could go wrong, and why it does not; each line has its test in `tests/signature_cache.rs`:
//!
//! - *Poisoning.* Only successes are entered, and only those on a path that reached an anchor: nobody outside the PKIs
//!   that are trusted here can put anything in. A failure is never remembered. A signature of an algorithm that the
//!   policy refuses, or of a key too weak, is refused before the cache is looked at.
//! - *Eviction.* The signature of a peer's own certificate is entered when the peer has proved possession of its key
//!   ([`VerifiedPath::possession_proved`](crate::VerifiedPath::possession_proved)) and not before: certificates are
//!   public, and whoever replays other people's could otherwise push out what is in use. An evicted entry costs one
//!   verification.
//! - *Key change.* A CA that gets a new key under its old name has another SubjectPublicKeyInfo: another digest.
//! - *Collision of partial inputs.* The lengths of the four stand before them, so no two different quadruples are the same
//!   input; the digest is SHA-256 behind a random key of the cache's own, so collisions can't be prepared either, nor
//!   can a peer choose which entries fall into one set.
//! - *Timing.* A hit is faster, so whoever can have signatures looked up learns what was looked up before. A peer's own
//!   certificate is looked up on its owner's connections only, if validation comes after the proof of possession (as it
//!   does in TLS: a certificate is judged when CertificateVerify or ClientKeyExchange has been checked), and one that
//!   was never proved leaves no trace. What remains to be learned is that a CA has been in use here.
//!
//! # Contention
//!
//! Entries live in sets of [`WAYS`], each behind a lock of its own that is held for a few comparisons; two connections
//! wait for each other only where they look up the same set at the same moment. Within a set the least recently used
//! entry goes first.

use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oxtls_crypto::Hash;

use crate::trust::digest32;

/// Entries of one set.
const WAYS: usize = 8;

/// A bounded set of verified signatures, shared between verifiers and threads. Off unless a verifier is given one
/// ([`Verifier::with_signature_cache`](crate::Verifier::with_signature_cache)).
pub struct SignatureCache {
    key: [u8; 32],
    sets: Box<[Mutex<Set>]>,
}

/// What shares a lock.
#[derive(Default)]
struct Set {
    /// The most recently used first.
    entries: [Option<Entry>; WAYS],
    /// How often one of them was found.
    hits: u64,
}

impl Set {
    /// Whether it is there; then it is the most recently used from here on.
    fn find(&mut self, entry: Entry) -> bool {
        let place = self.entries.iter().position(|known| *known == Some(entry));
        if let Some(recent) = place.and_then(|place| self.entries.get_mut(..=place)) {
            recent.rotate_right(1);
        }
        place.is_some()
    }
}

/// A digest of everything that a verification depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry([u8; 32]);

impl SignatureCache {
    /// A cache for at least `capacity` signatures, at 33 octets each; at most 2^24 are kept. Memory is taken at once
    /// and never grows.
    ///
    /// # Errors
    /// If the system has no randomness for the key.
    pub fn new(capacity: usize) -> Result<Self, oxtls_crypto::Error> {
        /// Half a gigabyte is not what anyone means.
        const MOST: usize = 1 << 24;
        let sets = capacity.clamp(1, MOST).div_ceil(WAYS).next_power_of_two();
        let key = oxtls_crypto::random::array()?;
        Ok(Self { key, sets: (0..sets).map(|_| Mutex::default()).collect() })
    }

    /// How many signatures there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.sets.len().saturating_mul(WAYS)
    }

    /// How many signatures are remembered at present.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.iter().map(|set| lock(set).entries.iter().flatten().count()).sum()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.iter().all(|set| lock(set).entries.iter().all(Option::is_none))
    }

    /// How many verifications it has saved so far.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.sets.iter().fold(0, |hits, set| hits.wrapping_add(lock(set).hits))
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.sets.iter().for_each(|set| lock(set).entries = [None; WAYS]);
    }

    /// The digest of a verification: AlgorithmIdentifier, SubjectPublicKeyInfo, signed bytes, signature. Key and lengths
    /// stand before them and are of a fixed length themselves.
    pub(crate) fn entry(&self, algorithm: &[u8], spki: &[u8], signed: &[u8], signature: &[u8]) -> Entry {
        let length = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
        let lengths = [algorithm, spki, signed, signature].map(length);
        Entry(digest32(&Hash::Sha256.digest_parts(&[
            &self.key,
            lengths.as_flattened(),
            algorithm,
            spki,
            signed,
            signature,
        ])))
    }

    /// Whether this verification has succeeded before.
    pub(crate) fn contains(&self, entry: Entry) -> bool {
        let Some(mut set) = self.set(entry) else {
            return false;
        };
        let found = set.find(entry);
        set.hits = set.hits.wrapping_add(found.into());
        found
    }

    /// Remembers a success.
    pub(crate) fn insert(&self, entry: Entry) {
        let Some(mut set) = self.set(entry) else {
            return;
        };
        if !set.find(entry) {
            set.entries.rotate_right(1);
            if let Some(first) = set.entries.first_mut() {
                *first = Some(entry);
            }
        }
    }

    /// The set of an entry: the digest is uniform, so any of its bits choose.
    fn set(&self, entry: Entry) -> Option<MutexGuard<'_, Set>> {
        let [a, b, c, d, ..] = entry.0;
        let bits = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let mask = self.sets.len().checked_sub(1)?;
        self.sets.get(bits & mask).map(lock)
    }
}

/// Nothing panics while a set is locked; were it to, a set is valid at every moment.
fn lock(set: &Mutex<Set>) -> MutexGuard<'_, Set> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for SignatureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCache")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("hits", &self.hits())
            .finish()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(capacity: usize) -> SignatureCache {
        SignatureCache::new(capacity).unwrap()
    }

    #[test]
    fn parts_that_are_moved_over_a_boundary_are_another_entry() {
        let cache = cache(8);
        let entry = cache.entry(b"ab", b"cd", b"ef", b"gh");
        assert_eq!(entry, cache.entry(b"ab", b"cd", b"ef", b"gh"));
        for (algorithm, spki, signed, signature) in [
            (&b"abc"[..], &b"d"[..], &b"ef"[..], &b"gh"[..]),
            (b"a", b"bcd", b"ef", b"gh"),
            (b"ab", b"cde", b"f", b"gh"),
            (b"ab", b"cd", b"efg", b"h"),
            (b"ab", b"cd", b"efgh", b""),
            (b"", b"abcd", b"ef", b"gh"),
            (b"ab", b"cd", b"ef", b"gi"),
        ] {
            assert_ne!(entry, cache.entry(algorithm, spki, signed, signature));
        }
    }

    #[test]
    fn each_cache_has_a_key_of_its_own() {
        assert_ne!(cache(8).entry(b"a", b"b", b"c", b"d"), cache(8).entry(b"a", b"b", b"c", b"d"));
    }

    #[test]
    fn a_full_set_loses_what_was_used_least_recently() {
        let cache = cache(1);
        assert_eq!(cache.capacity(), WAYS);
        let entry = |number: u8| cache.entry(&[number], b"", b"", b"");
        (0..8).for_each(|number| cache.insert(entry(number)));
        assert!(cache.contains(entry(0)), "all of the set are there, and 0 is the last one used now");
        cache.insert(entry(8));
        cache.insert(entry(8));
        assert_eq!(cache.len(), WAYS);
        assert!(cache.contains(entry(0)) && cache.contains(entry(8)));
        assert_eq!(cache.hits(), 3, "what was entered again was not looked up");
        assert!(!cache.contains(entry(1)), "the one not used for longest has gone");
        assert!((2..8).all(|number| cache.contains(entry(number))));
    }

    #[test]
    fn it_never_grows_and_can_be_cleared() {
        let cache = cache(100);
        assert_eq!(cache.capacity(), 128);
        assert!(cache.is_empty());
        (0..10_000u32).for_each(|number| cache.insert(cache.entry(&number.to_be_bytes(), b"", b"", b"")));
        assert_eq!(cache.len(), 128);
        cache.clear();
        assert_eq!((cache.len(), cache.is_empty()), (0, true));
    }
}
