//! The clock of a configuration: the system's, or one that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pki_types::UnixTime;

/// Where a connection reads the time: certificates' validity, ticket ages and the handshake's deadline.
///
/// It is read during the handshake only, never per record.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The operating system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`ManualClock::set`] or [`ManualClock::advance`]; `now` is counted from the
    /// Unix epoch and kept in whole milliseconds.
    #[must_use]
    pub fn manual(now: Duration) -> (Self, ManualClock) {
        let time = Arc::new(AtomicU64::new(millis(now)));
        (Self(Source::Manual(Arc::clone(&time))), ManualClock(time))
    }

    /// Time since the Unix epoch. A system clock before 1970 reads as 1970.
    #[must_use]
    pub fn now(&self) -> Duration {
        match &self.0 {
            Source::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Source::Manual(time) => Duration::from_millis(time.load(Ordering::Relaxed)),
        }
    }

    /// The same in whole seconds, as certificates count.
    #[must_use]
    pub fn unix_time(&self) -> UnixTime {
        UnixTime::since_unix_epoch(self.now())
    }

    /// Starts to measure a duration, unharmed by steps of the system's wall clock.
    pub(crate) fn start(&self) -> Started {
        match &self.0 {
            Source::System => Started::System(Instant::now()),
            Source::Manual(_) => Started::Manual(self.now()),
        }
    }

    /// What has passed since `started`.
    pub(crate) fn since(&self, started: &Started) -> Duration {
        match started {
            Started::System(instant) => instant.elapsed(),
            Started::Manual(then) => self.now().saturating_sub(*then),
        }
    }
}

/// A moment that a [`Clock`] measures from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Started {
    System(Instant),
    Manual(Duration),
}

/// Sets the time of a [`Clock::manual`].
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Sets the time, counted from the Unix epoch.
    pub fn set(&self, now: Duration) {
        self.0.store(millis(now), Ordering::Relaxed);
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(millis(by), Ordering::Relaxed);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let (clock, hand) = Clock::manual(Duration::from_secs(100));
        let started = clock.start();
        assert_eq!(clock.unix_time().as_secs(), 100);
        assert_eq!(clock.since(&started), Duration::ZERO);
        hand.advance(Duration::from_secs(5));
        assert_eq!(clock.since(&started), Duration::from_secs(5));
        hand.set(Duration::from_secs(50));
        assert_eq!(
            clock.since(&started),
            Duration::ZERO,
            "a clock that steps back never makes time negative"
        );
    }
}
