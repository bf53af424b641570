//! Ticket keys: random ones that rotate by the clock, those of a fleet, and given ones.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::hkdf::expand_label;
use oxtls_crypto::random;
use oxtls_crypto::salted::SaltedKey;
use oxtls_crypto::secret::Secret;
use zeroize::Zeroizing;

use super::fleet::{Fleet, FleetSeed};
use crate::config::ConfigError;
use crate::defaults;

/// Keys besides the present one that still open tickets. With it they cover two whole periods.
const PREVIOUS: usize = 2;

/// Bytes of a key's name, which stands in front of each of its tickets.
pub(crate) const NAME_LEN: usize = 16;

/// The keys that a server seals tickets under. Cheap to clone; clones are the same keys.
///
/// They are no part of a configuration: let several configurations, and the ones that replace them, share one. What
/// keeps virtual servers from resuming each other's sessions is the [context](crate::Resumption::context), under which
/// every key is derived anew.
///
/// # What a stolen key gives away
/// A TLS 1.3 ticket key opens the resumption secrets in tickets: with it one can pose as the server to clients that
/// resume, pose as clients, and read early data, but no other data of any recorded connection, since resumption makes a
/// fresh key exchange (psk_dhe_ke). Keys that are gone give nothing away: so they rotate.
#[derive(Clone)]
pub struct TicketKeys(Arc<Source>);

enum Source {
    /// A new one each period.
    Rotating(Duration, RwLock<Rotating>),
    Fleet(RwLock<Fleet>),
    Given(RwLock<Arc<Ring>>),
}

/// A key and its name.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: [u8; NAME_LEN],
    pub(crate) key: SaltedKey,
}

impl Key {
    /// The key that these 32 random bytes make. Its name is derived, so that the same bytes have it everywhere.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self, oxtls_crypto::Error> {
        let secret = Secret::new(bytes)?;
        let mut name = [0; NAME_LEN];
        expand_label(Hash::Sha256, &secret, "oxtls ticket name", &[], &mut name)?;
        let mut key = Zeroizing::new([0; 32]);
        expand_label(Hash::Sha256, &secret, "oxtls ticket key", &[], key.as_mut_slice())?;
        Ok(Self { name, key: SaltedKey::new(key.as_slice())? })
    }
}

/// The keys of a moment.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// What seals; `None`: nothing does at this time.
    pub(crate) present: Option<Arc<Key>>,
    /// What opens, beside that.
    pub(crate) others: Vec<Arc<Key>>,
}

impl Ring {
    /// The key of this name, and whether it is the present one.
    pub(crate) fn find(&self, name: &[u8; NAME_LEN]) -> Option<(&Key, bool)> {
        let present = self.present.iter().map(|key| (key, true));
        let mut keys = present.chain(self.others.iter().map(|key| (key, false)));
        keys.find(|(key, _)| key.name == *name).map(|(key, present)| (&**key, present))
    }
}

#[derive(Default)]
struct Rotating {
    /// When the present key was made, since the Unix epoch.
    began: Duration,
    ring: Arc<Ring>,
}

impl Rotating {
    fn is_current(&self, period: Duration, now: Duration) -> bool {
        let stepped_back = now.saturating_add(period) < self.began;
        self.ring.present.is_some() && !stepped_back && now < self.began.saturating_add(period)
    }

    fn rotate(&mut self, period: Duration, now: Duration) -> Result<(), oxtls_crypto::Error> {
        let bytes = Zeroizing::new(random::array::<32>()?);
        let fresh = Arc::new(Key::new(bytes.as_slice())?);
        // Each period that has passed takes one of the previous keys.
        let passed = now.saturating_sub(self.began).as_millis().checked_div(period.as_millis());
        let passed = usize::try_from(passed.unwrap_or_default()).unwrap_or(usize::MAX).max(1);
        let keep = PREVIOUS.saturating_add(1).saturating_sub(passed);
        let before = self.ring.present.iter().chain(&self.ring.others).take(keep).map(Arc::clone);
        self.ring = Arc::new(Ring { present: Some(fresh), others: before.collect() });
        self.began = now;
        Ok(())
    }
}

impl TicketKeys {
    /// Random keys of this process, a new one every 12 hours ([`defaults::TICKET_KEY_PERIOD`]). A key opens tickets for
    /// two periods after its own and is then gone: so far back does forward secrecy begin. It goes when the keys are next
    /// looked at, for a ticket or by [`tidy`](Self::tidy), which a server that may be idle for long calls from time to time.
    #[must_use]
    pub fn rotating() -> Self {
        Self::rotate_every(defaults::TICKET_KEY_PERIOD)
    }

    /// The same with another period, of at least a second. Tickets live for at most twice as long, whatever
    /// [`Resumption::lifetime`](crate::Resumption::lifetime) says.
    #[must_use]
    pub fn rotate_every(period: Duration) -> Self {
        let period = period.max(Duration::from_secs(1));
        Self(Arc::new(Source::Rotating(period, RwLock::default())))
    }

    /// Keys that every process with this seed derives for itself: see [`FleetSeed`]. As clocks of processes differ, clients
    /// are told to use a ticket for up to [ten minutes](oxtls_handshake::defaults::MAX_CLOCK_DIFFERENCE) less than it
    /// lives; the same goes for [given](Self::given) keys.
    #[must_use]
    pub fn fleet(seed: FleetSeed) -> Self {
        Self(Arc::new(Source::Fleet(RwLock::new(Fleet::new(seed)))))
    }

    /// Keys of your own, each of 32 uniformly random bytes: `present` seals and opens, `others` open. Rotate them with
    /// [`give`](Self::give), or no ticket ever loses its worth to who steals a key.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a key of another length.
    pub fn given<K: AsRef<[u8]>>(
        present: impl AsRef<[u8]>,
        others: impl IntoIterator<Item = K>,
    ) -> Result<Self, ConfigError> {
        let ring = given_ring(present.as_ref(), others)?;
        Ok(Self(Arc::new(Source::Given(RwLock::new(Arc::new(ring))))))
    }

    /// Puts other keys in place of the given ones, under live servers.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a key of another length, or if these keys were not made by
    /// [`given`](Self::given). Nothing has changed then.
    pub fn give<K: AsRef<[u8]>>(
        &self,
        present: impl AsRef<[u8]>,
        others: impl IntoIterator<Item = K>,
    ) -> Result<(), ConfigError> {
        let Source::Given(lock) = &*self.0 else {
            return Err(ConfigError::Invalid("only keys that were given can be given anew".into()));
        };
        let ring = Arc::new(given_ring(present.as_ref(), others)?);
        *lock.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    /// Goes on with another seed, under live servers: what [`FleetSeed::advance`] has made of the present one, or one of
    /// another secret, whose tickets alone then open.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if these keys were not made by [`fleet`](Self::fleet).
    pub fn seed(&self, seed: FleetSeed) -> Result<(), ConfigError> {
        let Source::Fleet(lock) = &*self.0 else {
            return Err(ConfigError::Invalid("only keys of a fleet have a seed".into()));
        };
        *lock.write().unwrap_or_else(PoisonError::into_inner) = Fleet::new(seed);
        Ok(())
    }

    /// Erases the keys that are of no use at `now`, time since the Unix epoch. Sealing and opening tickets does the same;
    /// but a server that nobody calls on keeps what it has, for whoever reads its memory, until somebody does.
    pub fn tidy(&self, now: Duration) {
        let _ = self.ring(now);
    }

    /// How long a ticket may be promised to open; `None`: these keys set no limit.
    #[must_use]
    pub fn longest_lifetime(&self) -> Option<Duration> {
        let period = match &*self.0 {
            Source::Rotating(period, _) => *period,
            Source::Fleet(lock) => lock.read().unwrap_or_else(PoisonError::into_inner).period(),
            Source::Given(_) => return None,
        };
        Some(period.saturating_mul(2))
    }

    /// Whether other processes may have the same keys, and clocks of their own.
    pub(crate) fn are_shared(&self) -> bool {
        !matches!(&*self.0, Source::Rotating(..))
    }

    /// The keys of this time since the Unix epoch. Threads share a lock here but at the moment of a rotation.
    pub(crate) fn ring(&self, now: Duration) -> Arc<Ring> {
        match &*self.0 {
            Source::Given(lock) => Arc::clone(&lock.read().unwrap_or_else(PoisonError::into_inner)),
            Source::Rotating(period, lock) => {
                let rotating = lock.read().unwrap_or_else(PoisonError::into_inner);
                if rotating.is_current(*period, now) {
                    return Arc::clone(&rotating.ring);
                }
                drop(rotating);
                let mut rotating = lock.write().unwrap_or_else(PoisonError::into_inner);
                if !rotating.is_current(*period, now) && rotating.rotate(*period, now).is_err() {
                    // Without randomness nothing is sealed, and the old keys are tried again at the next ticket: what
                    // should have gone opens nothing meanwhile.
                    return Arc::default();
                }
                Arc::clone(&rotating.ring)
            }
            Source::Fleet(lock) => {
                if let Some(ring) = lock.read().unwrap_or_else(PoisonError::into_inner).ring_at(now) {
                    return ring;
                }
                lock.write().unwrap_or_else(PoisonError::into_inner).turn(now)
            }
        }
    }
}

fn given_ring<K: AsRef<[u8]>>(
    present: &[u8],
    others: impl IntoIterator<Item = K>,
) -> Result<Ring, ConfigError> {
    let make = |bytes: &[u8]| match bytes.len() {
        32 => Key::new(bytes).map(Arc::new).map_err(|error| ConfigError::Invalid(error.to_string())),
        other => Err(ConfigError::Invalid(format!("a ticket key has 32 bytes, not {other}"))),
    };
    let others = others.into_iter().map(|bytes| make(bytes.as_ref())).collect::<Result<_, _>>()?;
    Ok(Ring { present: Some(make(present)?), others })
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0 {
            Source::Rotating(..) => "TicketKeys(rotating)",
            Source::Fleet(_) => "TicketKeys(fleet)",
            Source::Given(_) => "TicketKeys(given)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: Duration = Duration::from_secs(1_700_000_000);

    #[test]
    fn an_idle_server_that_tidies_keeps_no_key_past_its_time() {
        let keys = TicketKeys::rotate_every(HOUR);
        let held = || {
            let Source::Rotating(_, lock) = &*keys.0 else { return Vec::new() };
            let ring = Arc::clone(&lock.read().unwrap().ring);
            ring.present.iter().chain(&ring.others).map(|key| key.name).collect()
        };
        let first = keys.ring(NOW).present.as_ref().unwrap().name;
        for hours in 0..=2 {
            keys.tidy(NOW + hours * HOUR);
            assert!(held().contains(&first), "{hours}");
        }
        keys.tidy(NOW + 3 * HOUR);
        assert!(!held().contains(&first));
        // However long nobody came by, one look takes all that is too old.
        let keys = TicketKeys::rotate_every(HOUR);
        let first = keys.ring(NOW).present.as_ref().unwrap().name;
        keys.tidy(NOW + 100 * HOUR);
        assert!(keys.ring(NOW + 100 * HOUR).find(&first).is_none());
    }
}
