//! How many clients at a time.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lets so many in at a time.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    inside: Mutex<usize>,
    left: Condvar,
}

/// A place inside, given back when dropped.
#[derive(Debug)]
pub(super) struct Place(Gate);

impl Gate {
    pub(super) fn new(limit: usize) -> Self {
        Self(Arc::new(Inner { limit, inside: Mutex::new(0), left: Condvar::new() }))
    }

    /// Waits for a place.
    pub(super) fn enter(&self) -> Place {
        let mut inside = self.lock();
        while *inside >= self.0.limit {
            inside = self.0.left.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        *inside = inside.saturating_add(1);
        Place(self.clone())
    }

    /// Waits until nobody is inside, for so long at most (`None`: for ever); whether it came to that.
    pub(super) fn wait_empty(&self, patience: Option<Duration>) -> bool {
        let until = patience.and_then(|patience| Instant::now().checked_add(patience));
        let mut inside = self.lock();
        while *inside > 0 {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            inside = match left {
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    self.0.left.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.0.left.wait(inside).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.0.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.0.lock();
        *inside = inside.saturating_sub(1);
        self.0.0.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn whoever_comes_too_many_waits_for_a_place() {
        let gate = Gate::new(1);
        let place = gate.enter();
        assert!(!gate.wait_empty(Some(Duration::from_millis(1))));
        let (entered, seen) = mpsc::channel();
        let second = gate.clone();
        let thread = thread::spawn(move || {
            let _place = second.enter();
            entered.send(()).unwrap();
        });
        assert!(seen.recv_timeout(Duration::from_millis(50)).is_err());
        drop(place);
        seen.recv_timeout(Duration::from_secs(10)).unwrap();
        thread.join().unwrap();
        assert!(gate.wait_empty(None));
    }
}
