//! Ticket keys that the processes of a fleet derive from one seed, without a word between them.

use std::sync::Arc;
use std::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::hkdf::{expand_label, expand_label_secret};
use oxtls_crypto::random;
use oxtls_crypto::secret::Secret;
use zeroize::Zeroizing;

use super::keys::{Key, Ring};
use crate::config::ConfigError;

/// Windows before the present one whose tickets open. Together they are as long as tickets live (two periods), and one
/// more for a sealer whose clock is behind.
const BEHIND: u64 = 3;

/// Windows after the present one whose tickets open: the sealer's clock is ahead.
const AHEAD: u64 = 1;

/// Most windows that are stepped over at one reading of the clock. Twelve hours each, that is thirteen years; what lies
/// farther off is a clock that is wrong, and costs no more than this.
const MOST_STEPS: u64 = 10_000;

/// The format of a seed's bytes.
const FORMAT: u8 = 1;

/// What every process of a fleet derives its ticket keys from: a secret, and the window of time at which it begins.
///
/// Time is cut into windows of one period. The secret of a window makes its key, and the secret of the next window; no
/// way leads back. Processes that have the same seed, or seeds that [`advance`](Self::advance) made of it, have the same
/// keys at the same time, with nothing to coordinate. Clocks may be wrong by five minutes either way (and tickets open
/// as long as two clocks differ by less than a period; but a session that seems to be of a later time than
/// [that](oxtls_handshake::defaults::MAX_CLOCK_DIFFERENCE) is not resumed).
///
/// # Forward secrecy
/// Whoever has a seed can derive the keys of its window and of all later ones, and of none before. So forward secrecy
/// reaches exactly to the oldest copy that survives, wherever it is: in a file, a backup, a process. Replace the stored
/// seed by [`advance`](Self::advance)'s from time to time, and destroy the old one. A running process follows
/// the clock: when a window begins, it forgets what it needed for none of the tickets that it opened in the window
/// before. (One window late, so that a clock that leaps ahead and comes back has not taken the present keys with it.)
///
/// A stolen seed opens everything from its window on, for ever: then make a [new](Self::generate) one.
#[derive(Debug)]
pub struct FleetSeed {
    period: u32,
    base: u64,
    secret: Secret,
}

impl FleetSeed {
    /// Bytes of [`to_bytes`](Self::to_bytes).
    pub const LEN: usize = 1 + 4 + 8 + 32;

    /// A new seed, whose first window is the one before that of `now`, time since the Unix epoch. `period` is the length
    /// of a window: a minute to a week, in whole seconds. Tickets live for at most twice as long.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for another period, [`ConfigError::NoRandomness`].
    pub fn generate(now: Duration, period: Duration) -> Result<Self, ConfigError> {
        let period = checked(u32::try_from(period.as_secs()).unwrap_or(u32::MAX))?;
        let secret = Zeroizing::new(random::array::<32>().map_err(|_| ConfigError::NoRandomness)?);
        let secret = Secret::new(secret.as_slice()).map_err(|_| ConfigError::NoRandomness)?;
        Ok(Self { period, base: window(now, period).saturating_sub(1), secret })
    }

    /// The seed as bytes, to hand to the fleet: keep them as one keeps a private key.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        let parts =
            [&[FORMAT][..], &self.period.to_be_bytes(), &self.base.to_be_bytes(), self.secret.as_bytes()];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ConfigError> {
        let wrong = || ConfigError::Invalid("this is not a fleet's seed of ticket keys".into());
        let (format, rest) = bytes.split_first().ok_or_else(wrong)?;
        let (period, rest) = rest.split_first_chunk().ok_or_else(wrong)?;
        let (base, secret) = rest.split_first_chunk().ok_or_else(wrong)?;
        if *format != FORMAT || secret.len() != 32 {
            return Err(wrong());
        }
        let secret = Secret::new(secret).map_err(|_| wrong())?;
        Ok(Self { period: checked(u32::from_be_bytes(*period))?, base: u64::from_be_bytes(*base), secret })
    }

    /// The first window that this seed has a key for, counted from the Unix epoch in [periods](Self::period).
    #[must_use]
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The length of a window.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_secs(self.period.into())
    }

    /// The seed that replaces this one at `now`, time since the Unix epoch: it begins at the oldest window whose tickets
    /// still open, and nothing before that can be computed from it. Give it to the fleet at leisure (old and new agree on
    /// all keys that both have), then destroy the old one.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if `now` is more than 10,000 windows on: the clock is wrong, or the seed is too old to be
    /// of use.
    pub fn advance(&self, now: Duration) -> Result<Self, ConfigError> {
        let base = window(now, self.period).saturating_sub(BEHIND).max(self.base);
        let secret = step(&self.secret, base.saturating_sub(self.base));
        let secret = secret.ok_or_else(|| {
            ConfigError::Invalid(format!("the seed would have to advance by more than {MOST_STEPS} windows"))
        })?;
        Ok(Self { period: self.period, base, secret })
    }
}

fn checked(period: u32) -> Result<u32, ConfigError> {
    match period {
        60..=604_800 => Ok(period),
        _ => Err(ConfigError::Invalid("a fleet's ticket keys have a period of 1 minute to 7 days".into())),
    }
}

fn window(now: Duration, period: u32) -> u64 {
    now.as_secs().checked_div(period.into()).unwrap_or_default()
}

/// The secret so many windows on; `None` if that is too far.
fn step(secret: &Secret, windows: u64) -> Option<Secret> {
    if windows > MOST_STEPS {
        return None;
    }
    let mut secret = secret.duplicate();
    for _ in 0..windows {
        secret = expand_label_secret(Hash::Sha256, &secret, "oxtls fleet next", &[]).ok()?;
    }
    Some(secret)
}

/// The key of the window that this secret is of.
fn key(secret: &Secret) -> Option<Arc<Key>> {
    let mut bytes = Zeroizing::new([0; 32]);
    expand_label(Hash::Sha256, secret, "oxtls fleet key", &[], bytes.as_mut_slice()).ok()?;
    Key::new(bytes.as_slice()).ok().map(Arc::new)
}

/// A process of the fleet: the seed as far as it has come, and the keys of the present window.
#[derive(Debug)]
pub(crate) struct Fleet {
    seed: FleetSeed,
    /// The window that `ring` is of; `None`: the clock has not been read yet.
    window: Option<u64>,
    ring: Arc<Ring>,
}

impl Fleet {
    pub(crate) fn new(seed: FleetSeed) -> Self {
        Self { seed, window: None, ring: Arc::default() }
    }

    pub(crate) fn period(&self) -> Duration {
        self.seed.period()
    }

    /// The keys of this time, if they are made already.
    pub(crate) fn ring_at(&self, now: Duration) -> Option<Arc<Ring>> {
        (self.window == Some(window(now, self.seed.period))).then(|| Arc::clone(&self.ring))
    }

    /// Makes the keys of this time, and forgets what is older than they are.
    pub(crate) fn turn(&mut self, now: Duration) -> Arc<Ring> {
        if let Some(ring) = self.ring_at(now) {
            return ring;
        }
        let present = window(now, self.seed.period);
        let ring = self.make(present).unwrap_or_default();
        self.ring = Arc::new(ring);
        if let Some(last) = self.window.replace(present) {
            self.forget(last.min(present).saturating_sub(BEHIND));
        }
        Arc::clone(&self.ring)
    }

    fn make(&self, present: u64) -> Option<Ring> {
        let mut ring = Ring::default();
        let first = present.saturating_sub(BEHIND).max(self.seed.base);
        let mut secret = step(&self.seed.secret, first.saturating_sub(self.seed.base))?;
        for window in first..=present.saturating_add(AHEAD) {
            let key = key(&secret)?;
            if window == present {
                ring.present = Some(key);
            } else {
                ring.others.push(key);
            }
            secret = step(&secret, 1)?;
        }
        // The latest first: most tickets are of the windows nearest.
        ring.others.reverse();
        Some(ring)
    }

    /// Takes the seed to this window; windows before it are gone.
    fn forget(&mut self, before: u64) {
        let windows = before.saturating_sub(self.seed.base);
        if let Some(secret) = step(&self.seed.secret, windows) {
            self.seed.secret = secret;
            self.seed.base = self.seed.base.saturating_add(windows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(3600);
    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn seed() -> FleetSeed {
        FleetSeed::generate(NOW, PERIOD).unwrap()
    }

    fn copy(seed: &FleetSeed) -> FleetSeed {
        FleetSeed::from_bytes(&*seed.to_bytes()).unwrap()
    }

    fn present(fleet: &mut Fleet, now: Duration) -> Option<[u8; 16]> {
        fleet.turn(now).present.as_ref().map(|key| key.name)
    }

    #[test]
    fn a_seed_comes_back_as_it_went_and_nothing_else_is_one() {
        let bytes = seed().to_bytes();
        assert_eq!(*copy(&FleetSeed::from_bytes(&*bytes).unwrap()).to_bytes(), *bytes);
        for len in 0..bytes.len() {
            assert!(FleetSeed::from_bytes(&bytes[..len]).is_err(), "{len}");
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert!(FleetSeed::from_bytes(&longer).is_err());
        assert!(FleetSeed::generate(NOW, Duration::from_secs(59)).is_err());
    }

    #[test]
    fn an_advanced_seed_has_the_same_keys_and_none_before_its_base() {
        let old = seed();
        let later = NOW + 100 * PERIOD;
        let new = old.advance(later).unwrap();
        assert!(new.base() > old.base());
        assert_eq!(new.advance(NOW).unwrap().base(), new.base(), "it never goes back");
        let (mut one, mut other) = (Fleet::new(old), Fleet::new(new));
        assert_eq!(present(&mut one, later), present(&mut other, later));
        assert_eq!(present(&mut other, later - 10 * PERIOD), None);
    }

    #[test]
    fn a_running_process_forgets_but_not_because_of_one_leap() {
        let seed = seed();
        let mut fleet = Fleet::new(copy(&seed));
        let first = present(&mut fleet, NOW);
        assert!(first.is_some());
        present(&mut fleet, NOW + 1000 * PERIOD);
        assert_eq!(present(&mut fleet, NOW), first, "back from the leap");
        for n in 0..50 {
            assert!(present(&mut fleet, NOW + n * PERIOD).is_some());
        }
        assert_eq!(fleet.seed.base, window(NOW, 3600) + 48 - BEHIND);
        assert!(fleet.turn(NOW).present.is_none(), "what was forgotten is gone");
    }

    #[test]
    fn a_clock_out_of_all_bounds_has_no_keys_and_does_no_harm() {
        let mut fleet = Fleet::new(seed());
        assert_eq!(present(&mut fleet, Duration::MAX), None);
        assert_eq!(present(&mut fleet, Duration::ZERO), None);
        assert!(present(&mut fleet, NOW).is_some());
    }
}
