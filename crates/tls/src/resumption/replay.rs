//! What keeps early data from being taken twice (RFC 9846 section 8).

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oxtls_crypto::random;
use oxtls_handshake::session::ReplayKey;

use crate::config::ConfigError;
use crate::defaults;

/// Locks of one guard: threads seldom meet at one.
const SHARDS: usize = 64;

/// Clocks of threads that read the time at once, and then come here one behind the other, differ by less.
const SLACK: Duration = Duration::from_secs(1);

/// Bytes of a binder that are kept: it is a MAC, so that what a key has not made never looks like what it has.
const KEPT: usize = 16;

/// Remembers, in the memory of this process, which early data was taken: none is taken twice.
///
/// It keys on the binder of the hello, once that has verified, and remembers it for longer than the hello can still
/// look fresh (twice the age skew that a [`Resumption`](crate::Resumption) allows). Within that it is exact: it forgets
/// nothing, and takes nothing for a replay that is not one. Whenever it cannot be sure it declines, and the handshake
/// goes on without early data: when it is full, when the clock has stepped back.
///
/// A clock that leaps ahead and is set right again is one that has stepped back: from then on, early data is declined until
/// the clock has caught up with the leap. It must be so. By the wrong time all that was remembered looked stale and was
/// forgotten, so that nobody can tell any more which hellos of the right time were taken. If that is to take too long, put a
/// new guard into the configuration ([`Reloadable`](crate::Reloadable)): tickets that name the old one are resumed without
/// early data, the next ones with it.
///
/// Each guard has a random id, which stands in the tickets made beside it. Tickets that name another guard (another
/// process of the fleet, or this one before its restart) are resumed without early data: nobody here knows what was
/// taken there.
///
/// A process that forks, or is brought back from a snapshot, has taken its guard's id along, and early data of one ticket
/// can be taken once in each copy: make the guard after the fork.
///
/// Cheap to clone; clones are one guard. Configurations of one process may share one.
#[derive(Clone)]
pub struct ReplayGuard(Arc<Inner>);

struct Inner {
    id: [u8; 16],
    window: Duration,
    /// Most keys of one generation of one shard.
    most: usize,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

type Key = [u8; KEPT];

/// Two generations of keys. What is forgotten was seen before the older one began.
struct Shard {
    /// When the present generation began, since the Unix epoch; `None` before the first key.
    began: Option<Duration>,
    present: HashSet<Key>,
    before: HashSet<Key>,
}

/// What a guard says of early data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayVerdict {
    /// Never seen: take it. From now on it is known.
    Fresh,
    /// Seen before.
    Replayed,
    /// No room to remember it.
    Full,
    /// The clock has stepped back behind what may have been forgotten.
    ClockSteppedBack,
    /// The guard is broken: a thread panicked inside it.
    Broken,
}

impl ReplayVerdict {
    /// Whether early data may be taken.
    #[must_use]
    pub fn is_fresh(self) -> bool {
        self == Self::Fresh
    }
}

impl ReplayGuard {
    /// A guard that remembers at least so many hellos with early data within its window
    /// ([`defaults::REPLAY_WINDOW`]): a server that takes 1,000 a second needs some 30,000. Some 80 bytes each at most,
    /// taken as they are needed.
    ///
    /// # Errors
    /// [`ConfigError::NoRandomness`].
    pub fn new(hellos: usize) -> Result<Self, ConfigError> {
        Self::with_window(hellos, defaults::REPLAY_WINDOW)
    }

    /// The same with a window of its own, which must be at least twice the age skew that is allowed.
    ///
    /// # Errors
    /// [`ConfigError::NoRandomness`].
    pub fn with_window(hellos: usize, window: Duration) -> Result<Self, ConfigError> {
        let shard = || Shard { began: None, present: HashSet::new(), before: HashSet::new() };
        // Keys spread over the shards by chance: room for the fullest of them (six standard deviations).
        let even = hellos.div_ceil(SHARDS);
        let most = even.saturating_add(even.isqrt().saturating_mul(6)).saturating_add(6);
        Ok(Self(Arc::new(Inner {
            id: random::array().map_err(|_| ConfigError::NoRandomness)?,
            window,
            most,
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            hasher: RandomState::new(),
        })))
    }

    /// The name of this guard, in the tickets that it can judge.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.0.id
    }

    /// How long it remembers.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.0.window
    }

    /// Whether early data of this key was taken before. If not, it is taken now. `now`: time since the Unix epoch.
    ///
    /// A configuration asks this by itself; this is for whoever answers
    /// [`AcceptSession`](crate::need::AcceptSession).
    #[must_use]
    pub fn check(&self, key: &ReplayKey, now: Duration) -> ReplayVerdict {
        let Some(key) = key.0.first_chunk() else { return ReplayVerdict::Broken };
        let shards = u64::try_from(SHARDS).unwrap_or(u64::MAX);
        let place = usize::try_from(self.0.hasher.hash_one(key).checked_rem(shards).unwrap_or_default());
        let shard = place.ok().and_then(|place| self.0.shards.get(place));
        match shard.map(Mutex::lock) {
            Some(Ok(mut shard)) => shard.check(*key, now, self.0.window.saturating_add(SLACK), self.0.most),
            _ => ReplayVerdict::Broken,
        }
    }

    /// Bytes of heap that its keys take now.
    #[must_use]
    pub fn memory(&self) -> usize {
        let sets = self.0.shards.iter().filter_map(|shard| shard.lock().ok());
        sets.map(|shard| table(shard.present.capacity()).saturating_add(table(shard.before.capacity())))
            .fold(0, usize::saturating_add)
    }
}

/// Bytes of a hash table of this capacity: it fills seven places of eight, and has a byte beside each.
fn table(capacity: usize) -> usize {
    let places = capacity.saturating_mul(8).div_ceil(7).next_power_of_two();
    if capacity == 0 { 0 } else { places.saturating_mul(KEPT.saturating_add(1)) }
}

impl Shard {
    fn check(&mut self, key: Key, now: Duration, generation: Duration, most: usize) -> ReplayVerdict {
        self.advance(now, generation);
        // A key that was forgotten was seen before the older generation began, a generation before `began`, so that
        // its hello had gone stale by `began - SLACK`. By a clock that shows less it could look fresh again.
        if self.began.is_some_and(|began| now.saturating_add(SLACK) < began) {
            return ReplayVerdict::ClockSteppedBack;
        }
        if self.present.contains(&key) || self.before.contains(&key) {
            return ReplayVerdict::Replayed;
        }
        if self.present.len() >= most {
            return ReplayVerdict::Full;
        }
        self.present.insert(key);
        ReplayVerdict::Fresh
    }

    fn advance(&mut self, now: Duration, generation: Duration) {
        let began = *self.began.get_or_insert(now);
        let passed = now.saturating_sub(began);
        if passed < generation {
            return;
        }
        let present = std::mem::take(&mut self.present);
        self.before = if passed < generation.saturating_mul(2) { present } else { HashSet::new() };
        self.began = Some(now);
    }
}

impl fmt::Debug for ReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayGuard").field("window", &self.0.window).finish_non_exhaustive()
    }
}
