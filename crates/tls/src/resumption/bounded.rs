//! A map that is bounded and shared by threads: what does not fit pushes out what is oldest.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks of one map at most: threads seldom meet at one, and a map that is hardly used stays small.
const SHARDS: usize = 16;

/// A bounded map in shards, each under a lock of its own that is held for one look-up.
pub(crate) struct Bounded<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    per_shard: usize,
    hasher: RandomState,
}

struct Shard<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// Keys in the order in which they came, each with the number that its entry had then.
    order: VecDeque<(u64, K)>,
    next: u64,
}

impl<K: Copy + Eq + Hash, V> Bounded<K, V> {
    /// A map of at most so many entries.
    pub(crate) fn new(entries: usize) -> Self {
        let shards = entries.clamp(1, SHARDS);
        let shard = || Mutex::new(Shard { entries: HashMap::new(), order: VecDeque::new(), next: 0 });
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            per_shard: entries.checked_div(shards).unwrap_or_default(),
            hasher: RandomState::new(),
        }
    }

    /// Acts on the shard of this key. A thread that panicked while it held the lock left the shard whole: no step in
    /// here can panic half-way.
    fn with<T>(&self, key: &K, act: impl FnOnce(&mut Shard<K, V>) -> T) -> Option<T> {
        let shards = u64::try_from(self.shards.len()).ok()?;
        let place = self.hasher.hash_one(key).checked_rem(shards)?;
        let shard = self.shards.get(usize::try_from(place).ok()?)?;
        Some(act(&mut lock(shard)))
    }

    /// Puts a value in, in place of the former one of its key.
    pub(crate) fn insert(&self, key: K, value: V) {
        let most = self.per_shard;
        self.with(&key, |shard| shard.insert(key, value, most));
    }

    /// Takes a value out: of several threads that want it, one gets it.
    pub(crate) fn take(&self, key: &K) -> Option<V> {
        self.with(key, |shard| shard.entries.remove(key).map(|(_, value)| value)).flatten()
    }

    /// As [`get`](Self::get), and takes the value out if it is no longer worth its place then.
    pub(crate) fn get_or_remove<T>(
        &self,
        key: &K,
        act: impl FnOnce(&mut V) -> T,
        is_over: impl FnOnce(&V) -> bool,
    ) -> Option<T> {
        let look = |shard: &mut Shard<K, V>| {
            let (_, value) = shard.entries.get_mut(key)?;
            let result = act(value);
            if is_over(value) {
                shard.entries.remove(key);
            }
            Some(result)
        };
        self.with(key, look).flatten()
    }

    /// Looks at a value, or changes it.
    pub(crate) fn get<T>(&self, key: &K, act: impl FnOnce(&mut V) -> T) -> Option<T> {
        self.with(key, |shard| shard.entries.get_mut(key).map(|(_, value)| act(value))).flatten()
    }

    /// Changes the value of this key, which is made first if there is none.
    pub(crate) fn update(&self, key: K, make: impl FnOnce() -> V, act: impl FnOnce(&mut V)) {
        let most = self.per_shard;
        self.with(&key, |shard| {
            if !shard.entries.contains_key(&key) {
                shard.insert(key, make(), most);
            }
            if let Some((_, value)) = shard.entries.get_mut(&key) {
                act(value);
            }
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).entries.len()).fold(0, usize::saturating_add)
    }

    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.entries = HashMap::new();
            shard.order = VecDeque::new();
        }
    }
}

impl<K: Copy + Eq + Hash, V> Shard<K, V> {
    fn insert(&mut self, key: K, value: V, most: usize) {
        if most == 0 {
            return;
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.entries.insert(key, (number, value));
        self.order.push_back((number, key));
        while self.entries.len() > most {
            let Some((number, oldest)) = self.order.pop_front() else { break };
            if self.is_live(number, &oldest) {
                self.entries.remove(&oldest);
            }
        }
        // Entries that were taken out leave their place in the order behind; it is swept before it doubles.
        if self.order.len() > most.saturating_mul(2) {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|(number, key)| self.is_live(*number, key));
            self.order = order;
        }
    }

    fn is_live(&self, number: u64, key: &K) -> bool {
        self.entries.get(key).is_some_and(|(present, _)| *present == number)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash, V> fmt::Debug for Bounded<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_the_bound_holds() {
        let map = Bounded::new(1);
        for n in 0..100_u32 {
            map.insert(n, n);
            assert_eq!(map.len(), 1);
        }
        assert_eq!(map.take(&99), Some(99));
        assert_eq!(map.take(&99), None, "taken once");
        let map = Bounded::new(64);
        for n in 0..10_000_u32 {
            map.insert(n, n);
        }
        assert!(map.len() <= 64 && map.len() >= 48, "{}", map.len());
    }

    #[test]
    fn what_was_taken_or_replaced_leaves_nothing_that_grows() {
        let map = Bounded::new(1);
        for n in 0..1000_u32 {
            map.insert(7, n);
            assert_eq!(map.get(&7, |value| *value), Some(n));
            map.insert(7, n);
            map.take(&7);
            let order = lock(map.shards.first().unwrap()).order.len();
            assert!(order <= 3, "{order}");
        }
        assert_eq!(map.len(), 0);
    }

    #[test]
    fn nothing_fits_into_nothing() {
        let map = Bounded::new(0);
        map.insert(1, 1);
        map.update(1, || 1, |_| ());
        assert_eq!(map.len(), 0);
    }
}
