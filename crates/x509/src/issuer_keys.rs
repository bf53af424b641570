//! The keys of CAs, as the library reads them: whether a point lies on its curve need not be asked again for each leaf of
//! one intermediate.
//!
//! A key is found by the very octets of its SubjectPublicKeyInfo, and what those read as never changes: whoever finds it
//! here has what he would have read himself. It says nothing of its owner, who is judged as ever.
//!
//! Nobody waits: a look-up that meets a writer finds nothing, and what cannot be kept at once is not kept. Either costs
//! reading a key.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, RwLock};

use oxtls_crypto::signature::PublicKey;

use crate::recency::{PLACES, Recency};

/// Sets of keys; a power of two.
const SETS: usize = 8;

/// Most octets of a key that is kept: the longest in use, of ML-DSA-87, have 2,614.
const LARGEST: usize = 3 * 1024;

/// At most 64 keys.
pub(crate) struct IssuerKeys {
    hasher: RandomState,
    sets: Box<[Set; SETS]>,
}

#[derive(Default)]
struct Set {
    slots: [Slot; PLACES],
    recency: Recency,
}

#[derive(Default)]
struct Slot {
    /// The keyed hash of what is here, or was until a moment ago: few slots need a closer look.
    hash: AtomicU64,
    key: RwLock<Option<Arc<PublicKey>>>,
}

impl Slot {
    /// What is here; `None` also while it changes.
    fn key(&self) -> Option<Arc<PublicKey>> {
        self.key.try_read().ok()?.clone()
    }

    /// Puts another key here, or none. What was here is dropped when the lock is free again.
    fn put(&self, hash: u64, key: Option<Arc<PublicKey>>) {
        let Ok(mut place) = self.key.try_write() else { return };
        self.hash.store(hash, Relaxed);
        let before = std::mem::replace(&mut *place, key);
        drop(place);
        drop(before);
    }
}

impl IssuerKeys {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), sets: Box::default() }
    }

    /// The key of this SubjectPublicKeyInfo, if it was read before.
    pub(crate) fn find(&self, spki: &[u8]) -> Option<Arc<PublicKey>> {
        let (hash, set) = self.set(spki)?;
        let of_hash = |(_, slot): &(usize, &Slot)| slot.hash.load(Relaxed) == hash;
        let mut slots = set.slots.iter().enumerate().filter(of_hash);
        slots.find_map(|(place, slot)| {
            let key = slot.key().filter(|key| key.spki() == spki)?;
            set.recency.mark(place);
            Some(key)
        })
    }

    /// Keeps a key: in place of one that was not used for long, if there is no room.
    pub(crate) fn keep(&self, key: &Arc<PublicKey>) {
        if key.spki().len() > LARGEST || self.find(key.spki()).is_some() {
            return;
        }
        let Some((hash, set)) = self.set(key.spki()) else { return };
        if let Some(slot) = set.slots.get(set.recency.next()) {
            slot.put(hash, Some(Arc::clone(key)));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots().filter(|slot| slot.key().is_some()).count()
    }

    pub(crate) fn clear(&self) {
        self.slots().for_each(|slot| slot.put(0, None));
        self.sets.iter().for_each(|set| set.recency.clear());
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.sets.iter().flat_map(|set| &set.slots)
    }

    /// Where a key would be. The hash is keyed: nobody chooses which keys share a set.
    fn set(&self, spki: &[u8]) -> Option<(u64, &Set)> {
        let hash = self.hasher.hash_one(spki);
        let place = usize::try_from(hash.wrapping_shr(u64::BITS - SETS.ilog2())).ok()?;
        self.sets.get(place).map(|set| (hash, set))
    }
}

#[cfg(test)]
mod tests {
    use oxtls_crypto::signature::KeyAlgorithm;
    use oxtls_test_pki::Ca;

    use super::*;
    use crate::Certificate;

    fn key(algorithm: KeyAlgorithm) -> Arc<PublicKey> {
        let ca = Ca::new("A", algorithm);
        let certificate = Certificate::parse(ca.certificate()).unwrap();
        Arc::new(PublicKey::from_spki(certificate.spki()).unwrap())
    }

    #[test]
    fn a_key_is_found_by_its_octets_and_no_others() {
        let (keys, key) = (IssuerKeys::new(), key(KeyAlgorithm::EcdsaP256));
        assert!(keys.find(key.spki()).is_none());
        keys.keep(&key);
        keys.keep(&key);
        assert!(Arc::ptr_eq(&keys.find(key.spki()).unwrap(), &key));
        assert_eq!(keys.len(), 1, "what is there is not kept twice");
        let mut other = key.spki().to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert!(keys.find(&other).is_none());
        // The same hash is not enough.
        let (hash, set) = keys.set(key.spki()).unwrap();
        let slot = set.slots.iter().find(|slot| slot.hash.load(Relaxed) == hash).unwrap();
        slot.put(hash, Some(self::key(KeyAlgorithm::EcdsaP256)));
        assert!(keys.find(key.spki()).is_none());
        keys.clear();
        assert_eq!(keys.len(), 0);
    }

    #[test]
    fn they_are_never_more_than_there_are_places_and_what_is_used_stays() {
        let keys = IssuerKeys::new();
        let used = key(KeyAlgorithm::EcdsaP256);
        keys.keep(&used);
        for _ in 0..300 {
            keys.keep(&key(KeyAlgorithm::EcdsaP256));
            assert!(keys.find(used.spki()).is_some());
        }
        let len = keys.len();
        assert!(len <= SETS * PLACES && len > SETS * PLACES / 2, "{len}");
    }

    #[test]
    fn nobody_waits_for_a_key() {
        let (keys, key) = (IssuerKeys::new(), key(KeyAlgorithm::EcdsaP256));
        keys.keep(&key);
        let (hash, set) = keys.set(key.spki()).unwrap();
        let slot = set.slots.iter().find(|slot| slot.hash.load(Relaxed) == hash).unwrap();
        let writes = slot.key.write().unwrap();
        assert!(keys.find(key.spki()).is_none());
        drop(writes);
        let reads = slot.key.read().unwrap();
        assert!(keys.find(key.spki()).is_some(), "who reads is not in the way of who reads");
        slot.put(0, None);
        drop(reads);
        assert!(keys.find(key.spki()).is_some(), "what could not be put at once is left out");
    }
}
