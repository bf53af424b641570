//! A map that is bounded and shared by threads: what does not fit pushes out what is oldest.
//!
//! Whoever looks shares a lock with all who look; whoever changes something has one shard to himself, for as long as the
//! map takes. What is thrown away, secrets that are erased among it, is dropped when the lock is free again.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks of one map at most: threads seldom meet at one, and a map that is hardly used stays small.
const SHARDS: usize = 16;

/// A bounded map in shards, each under a lock of its own.
pub(crate) struct Bounded<K, V> {
    shards: Box<[RwLock<Shard<K, V>>]>,
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
        Self {
            shards: (0..shards).map(|_| RwLock::default()).collect(),
            per_shard: entries.checked_div(shards).unwrap_or_default(),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, key: &K) -> Option<&RwLock<Shard<K, V>>> {
        let shards = u64::try_from(self.shards.len()).ok()?;
        let place = self.hasher.hash_one(key).checked_rem(shards)?;
        self.shards.get(usize::try_from(place).ok()?)
    }

    /// Looks at a value, as others may at the same time.
    pub(crate) fn get<T>(&self, key: &K, look: impl FnOnce(&V) -> T) -> Option<T> {
        let shard = read(self.shard(key)?);
        shard.entries.get(key).map(|(_, value)| look(value))
    }

    /// Puts a value in, in place of the former one of its key.
    pub(crate) fn insert(&self, key: K, value: V) {
        let Some(shard) = self.shard(&key) else { return };
        let gone = write(shard).insert(key, value, self.per_shard);
        drop(gone);
    }

    /// Takes a value out: of several threads that want it, one gets it.
    pub(crate) fn take(&self, key: &K) -> Option<V> {
        let taken = write(self.shard(key)?).entries.remove(key);
        taken.map(|(_, value)| value)
    }

    /// Changes a value, and takes it out if it is no longer worth its place then. What `act` removes it should give back,
    /// so that it is dropped behind the lock.
    pub(crate) fn change<T>(
        &self,
        key: &K,
        act: impl FnOnce(&mut V) -> T,
        is_over: impl FnOnce(&V) -> bool,
    ) -> Option<T> {
        let mut shard = write(self.shard(key)?);
        let (_, value) = shard.entries.get_mut(key)?;
        let result = act(value);
        let over = if is_over(value) { shard.entries.remove(key) } else { None };
        drop(shard);
        drop(over);
        Some(result)
    }

    /// Changes the value of this key, which is made first if there is none. As for [`change`](Self::change), what is
    /// removed is given back.
    pub(crate) fn update<T>(
        &self,
        key: K,
        make: impl FnOnce() -> V,
        act: impl FnOnce(&mut V) -> T,
    ) -> Option<T> {
        let mut shard = write(self.shard(&key)?);
        let known = shard.entries.contains_key(&key);
        let gone = if known { None } else { shard.insert(key, make(), self.per_shard) };
        let result = shard.entries.get_mut(&key).map(|(_, value)| act(value));
        drop(shard);
        drop(gone);
        result
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| read(shard).entries.len()).fold(0, usize::saturating_add)
    }

    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = write(shard);
            let gone = (std::mem::take(&mut shard.entries), std::mem::take(&mut shard.order));
            drop(shard);
            drop(gone);
        }
    }
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), next: 0 }
    }
}

impl<K: Copy + Eq + Hash, V> Shard<K, V> {
    /// Puts a value in; what has to go for it, the former one of its key or the oldest of all.
    fn insert(&mut self, key: K, value: V, most: usize) -> Option<(u64, V)> {
        if most == 0 {
            return Some((self.next, value));
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        let mut gone = self.entries.insert(key, (number, value));
        self.order.push_back((number, key));
        while self.entries.len() > most {
            let Some((number, oldest)) = self.order.pop_front() else { break };
            if self.is_live(number, &oldest) {
                gone = self.entries.remove(&oldest);
            }
        }
        // Entries that were taken out leave their place in the order behind; it is swept before it doubles.
        if self.order.len() > most.saturating_mul(2) {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|(number, key)| self.is_live(*number, key));
            self.order = order;
        }
        gone
    }

    fn is_live(&self, number: u64, key: &K) -> bool {
        self.entries.get(key).is_some_and(|(present, _)| *present == number)
    }
}

/// A thread that panicked while it held the lock left the shard whole: no step in here can panic half-way.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash, V> fmt::Debug for Bounded<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries", self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

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
            let order = read(map.shards.first().unwrap()).order.len();
            assert!(order <= 3, "{order}");
        }
        assert_eq!(map.len(), 0);
    }

    /// Counts how often it is dropped where others could come in.
    struct Gone(Rc<Bounded<u8, Self>>, Rc<Cell<usize>>);

    impl Drop for Gone {
        fn drop(&mut self) {
            let is_free = self.0.shards.iter().all(|shard| shard.try_write().is_ok());
            self.1.set(self.1.get() + usize::from(is_free));
        }
    }

    #[test]
    fn what_goes_is_dropped_when_the_lock_is_free() {
        let (map, free) = (Rc::new(Bounded::new(1)), Rc::new(Cell::new(0)));
        let value = || Gone(Rc::clone(&map), Rc::clone(&free));
        map.insert(1, value());
        map.insert(1, value());
        assert_eq!(free.get(), 1, "replaced");
        map.insert(2, value());
        assert_eq!(free.get(), 2, "pushed out");
        map.update(3, value, |_| ());
        assert_eq!(free.get(), 3, "pushed out by one that is made");
        map.change(&3, |_| (), |_| true);
        assert_eq!(free.get(), 4, "over");
        map.insert(4, value());
        drop(map.take(&4));
        assert_eq!(free.get(), 5, "taken");
        map.insert(5, value());
        map.clear();
        assert_eq!(free.get(), 6, "cleared");
    }

    #[test]
    fn who_looks_waits_for_nobody_who_looks() {
        let map = Bounded::new(1);
        map.insert(1, 1);
        let inner = map.get(&1, |_| map.shards.first().unwrap().try_read().is_ok());
        assert_eq!(inner, Some(true));
        assert_eq!(map.get(&2, |_: &i32| ()), None);
    }

    #[test]
    fn nothing_fits_into_nothing() {
        let map = Bounded::new(0);
        map.insert(1, 1);
        map.update(1, || 1, |_| ());
        assert_eq!(map.len(), 0);
    }
}
