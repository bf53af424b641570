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
//! No thread waits for another, since there is no lock: entries are four words each, read and written as atomics. They
//! live in sets of eight, of which an entry has one by its own bits; in a full set the next one round goes that was not
//! used since its last turn. A hit on an entry that is in use writes nothing but the set's count of hits.
//!
//! Two threads that enter the same at once may enter it twice, which harms nobody. Nor does it that, without a lock, a
//! reader may see words of two entries in one place, while one replaces the other, and that two threads that write to one
//! place at once may leave such a mixture there: the two are verified again. To be taken for one that was never entered, the
//! words would have to be those of its digest, each from an entry that was there during the look-up. Digests are SHA-256
//! behind a key that nobody knows: among n such entries the chance is n^4 in 2^256, for the handful that come and go
//! meanwhile no more than that two inputs have the same digest. The same goes for an empty place, four words of zero. And
//! what an entry says is true for ever, so that it does not matter when a write is seen.
//!
//! # Keys
//!
//! Beside the signatures stand the [keys of CAs](crate::issuer_keys), so that the next leaf of an intermediate is verified
//! without reading the intermediate's key again. Like signatures they come from paths that reached an anchor only, at most
//! 64 of 3 KiB each.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use oxtls_crypto::Hash;
use oxtls_crypto::signature::PublicKey;

use crate::issuer_keys::IssuerKeys;
use crate::recency::{PLACES, Recency};
use crate::trust::digest32;

/// A bounded set of verified signatures, shared between verifiers and threads. Off unless a verifier is given one
/// ([`Verifier::with_signature_cache`](crate::Verifier::with_signature_cache)).
pub struct SignatureCache {
    key: [u8; 32],
    sets: Box<[Set]>,
    keys: IssuerKeys,
}

/// The entries among which an entry may stand.
#[derive(Default)]
struct Set {
    places: [Place; PLACES],
    recency: Recency,
    /// How often one of them was found.
    hits: AtomicU64,
}

impl Set {
    /// Whether it is there; then it is used from here on.
    fn find(&self, entry: Entry) -> bool {
        let place = self.places.iter().position(|place| place.holds(entry));
        if let Some(place) = place {
            self.recency.mark(place);
        }
        place.is_some()
    }
}

/// Room for an entry; zeros: empty.
#[derive(Default)]
struct Place([AtomicU64; 4]);

impl Place {
    fn holds(&self, Entry(entry): Entry) -> bool {
        self.0.iter().zip(entry).all(|(here, word)| here.load(Relaxed) == word)
    }

    fn put(&self, Entry(entry): Entry) {
        self.0.iter().zip(entry).for_each(|(here, word)| here.store(word, Relaxed));
    }
}

/// A digest of everything that a verification depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry([u64; 4]);

impl Entry {
    /// What stands where there is none. No digest is it, but for a chance of one in 2^256.
    const NONE: Self = Self([0; 4]);
}

impl SignatureCache {
    /// A cache for at least `capacity` signatures, at 34 octets each; at most 2^24 are kept. Their memory is taken at once
    /// and never grows; that of the keys is taken as they come.
    ///
    /// # Errors
    /// If the system has no randomness for the key.
    pub fn new(capacity: usize) -> Result<Self, oxtls_crypto::Error> {
        /// Half a gigabyte is not what anyone means.
        const MOST: usize = 1 << 24;
        let sets = capacity.clamp(1, MOST).div_ceil(PLACES).next_power_of_two();
        let key = oxtls_crypto::random::array()?;
        Ok(Self { key, sets: (0..sets).map(|_| Set::default()).collect(), keys: IssuerKeys::new() })
    }

    /// How many signatures there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.sets.len().saturating_mul(PLACES)
    }

    /// How many signatures are remembered at present.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places().filter(|place| !place.holds(Entry::NONE)).count()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places().all(|place| place.holds(Entry::NONE))
    }

    /// How many verifications it has saved so far.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.sets.iter().fold(0, |hits, set| hits.wrapping_add(set.hits.load(Relaxed)))
    }

    /// How many keys of CAs are kept at present, at most 64.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Forgets everything, but for what other threads enter meanwhile.
    pub fn clear(&self) {
        self.places().for_each(|place| place.put(Entry::NONE));
        self.sets.iter().for_each(|set| set.recency.clear());
        self.keys.clear();
    }

    /// The digest of a verification: AlgorithmIdentifier, SubjectPublicKeyInfo, signed bytes, signature. Key and lengths
    /// stand before them and are of a fixed length themselves.
    pub(crate) fn entry(&self, algorithm: &[u8], spki: &[u8], signed: &[u8], signature: &[u8]) -> Entry {
        let length = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes();
        let lengths = [algorithm, spki, signed, signature].map(length);
        let digest = digest32(&Hash::Sha256.digest_parts(&[
            &self.key,
            lengths.as_flattened(),
            algorithm,
            spki,
            signed,
            signature,
        ]));
        let mut entry = Entry::NONE;
        entry.0.iter_mut().zip(digest.as_chunks().0).for_each(|(to, from)| *to = u64::from_be_bytes(*from));
        entry
    }

    /// Whether this verification has succeeded before.
    pub(crate) fn contains(&self, entry: Entry) -> bool {
        let found = self.set(entry).filter(|set| set.find(entry));
        if let Some(set) = found {
            set.hits.fetch_add(1, Relaxed);
        }
        found.is_some()
    }

    /// Remembers a success.
    pub(crate) fn insert(&self, entry: Entry) {
        if let Some(set) = self.set(entry).filter(|set| !set.find(entry))
            && let Some(place) = set.places.get(set.recency.next())
        {
            place.put(entry);
        }
    }

    /// The key of a CA, if one of these octets was kept.
    pub(crate) fn key_of(&self, spki: &[u8]) -> Option<Arc<PublicKey>> {
        self.keys.find(spki)
    }

    /// Keeps the key of a CA that stands in a path to an anchor.
    pub(crate) fn keep_key(&self, key: &Arc<PublicKey>) {
        self.keys.keep(key);
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.sets.iter().flat_map(|set| &set.places)
    }

    /// The set of an entry: the digest is uniform, so any of its bits choose.
    fn set(&self, Entry([bits, ..]): Entry) -> Option<&Set> {
        let mask = u64::try_from(self.sets.len().checked_sub(1)?).ok()?;
        self.sets.get(usize::try_from(bits & mask).ok()?)
    }
}

impl fmt::Debug for SignatureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCache")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("hits", &self.hits())
            .field("keys", &self.keys())
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
        assert_eq!(cache.capacity(), PLACES);
        let entry = |number: u8| cache.entry(&[number], b"", b"", b"");
        (0..8).for_each(|number| cache.insert(entry(number)));
        assert!(cache.contains(entry(0)), "all of the set are there, and 0 is the last one used now");
        cache.insert(entry(8));
        cache.insert(entry(8));
        assert_eq!(cache.len(), PLACES);
        assert!(cache.contains(entry(0)) && cache.contains(entry(8)));
        assert_eq!(cache.hits(), 3, "what was entered again was not looked up");
        assert!(!cache.contains(entry(1)), "the one not used for longest has gone");
        assert!((2..8).all(|number| cache.contains(entry(number))));
    }

    #[test]
    fn an_entry_is_all_of_its_words_and_no_mixture() {
        let cache = cache(1);
        let (one, other) = (Entry([1, 2, 3, 4]), Entry([5, 6, 7, 8]));
        cache.insert(one);
        cache.insert(other);
        assert!(cache.contains(one) && cache.contains(other));
        for mixture in 1..15 {
            let word = |at: usize| if mixture >> at & 1 == 0 { one.0[at] } else { other.0[at] };
            assert!(!cache.contains(Entry([0, 1, 2, 3].map(word))), "{mixture:b}");
        }
    }

    #[test]
    fn what_was_never_entered_is_not_found_while_others_write() {
        let cache = cache(1);
        let entry = |number: u32| cache.entry(&number.to_be_bytes(), b"", b"", b"");
        let known = entry(u32::MAX);
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let entry = &entry;
                let cache = &cache;
                scope.spawn(move || (0..20_000).for_each(|number| cache.insert(entry(writer + 2 * number))));
            }
            for number in 100_000..140_000 {
                assert!(!cache.contains(entry(number)), "{number}");
                cache.insert(known);
                cache.contains(known);
            }
        });
        assert!(cache.len() <= PLACES);
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
