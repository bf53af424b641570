//! The replay guard: nothing twice, nothing new refused, whatever threads, restarts and clocks do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use oxtls::handshake::session::ReplayKey;
use oxtls::{ReplayGuard, ReplayVerdict};

const START: Duration = Duration::from_secs(1_700_000_000);

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A key that looks like a binder.
fn key(n: u64) -> ReplayKey {
    let mut bytes = [0; 32];
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    for chunk in bytes.chunks_mut(8) {
        state ^= state >> 30;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(n);
        state ^= state >> 27;
        chunk.copy_from_slice(&state.to_be_bytes());
    }
    ReplayKey(bytes.to_vec())
}

#[test]
fn of_a_million_deliveries_by_four_threads_each_hello_is_taken_once() {
    // A quarter of it where code is not optimised.
    const HELLOS: u64 = if cfg!(debug_assertions) { 25_000 } else { 100_000 };
    const TIMES: u64 = 10;
    let guard = ReplayGuard::new(100_000).unwrap();
    let taken: Vec<AtomicU64> = (0..HELLOS).map(|_| AtomicU64::new(0)).collect();
    let deliveries = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (guard, taken, deliveries) = (guard.clone(), &taken, &deliveries);
            scope.spawn(move || {
                // Each thread goes through all of them in an order of its own, so that they meet at each other's.
                for n in 0..HELLOS * TIMES / 4 {
                    let hello = n.wrapping_mul([7, 11, 13, 17][thread]).wrapping_add(n / HELLOS) % HELLOS;
                    // Within the window: 20 seconds go by.
                    let now = START + Duration::from_micros(n * 20_000_000 / (HELLOS * TIMES / 4));
                    if guard.check(&key(hello), now).is_fresh() {
                        taken[usize::try_from(hello).unwrap()].fetch_add(1, Ordering::Relaxed);
                    }
                    deliveries.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(deliveries.into_inner(), HELLOS * TIMES);
    assert!(
        taken.iter().all(|taken| taken.load(Ordering::Relaxed) == 1),
        "none twice, none refused at first"
    );
    println!("{HELLOS} hellos remembered in {} bytes", guard.memory());
    assert!(guard.memory() <= 120 * 100_000);
}

#[test]
fn memory_is_bounded_and_a_full_guard_declines() {
    const ROOM: usize = 10_000;
    let guard = ReplayGuard::new(ROOM).unwrap();
    let mut verdicts = [0; 2];
    for n in 0..200_000 {
        match guard.check(&key(n), START) {
            ReplayVerdict::Fresh => verdicts[0] += 1,
            ReplayVerdict::Full => verdicts[1] += 1,
            verdict => panic!("{verdict:?}"),
        }
    }
    assert!(verdicts[0] >= ROOM && verdicts[1] > 0, "{verdicts:?}");
    println!("full with {} hellos in {} bytes", verdicts[0], guard.memory());
    // Two generations at most, however long it goes on.
    for second in 0..200 {
        for n in 0..2_000 {
            let _ = guard.check(&key(1_000_000 + second * 2_000 + n), START + secs(second));
        }
    }
    println!("after 200 seconds {} bytes", guard.memory());
    assert!(guard.memory() <= 120 * ROOM);
    // What was remembered when it was full is remembered.
    assert!(!guard.check(&key(1_000_000 + 199 * 2_000), START + secs(199)).is_fresh());
}

#[test]
fn in_normal_use_nothing_new_is_refused() {
    // 1,000 a second for 20 minutes, by threads that use the time up to half a second after they have read it.
    const HELLOS: u64 = if cfg!(debug_assertions) { 300_000 } else { 1_200_000 };
    let guard = ReplayGuard::new(32_000).unwrap();
    let refused = (0..HELLOS).filter(|&n| {
        let late = Duration::from_millis(n.wrapping_mul(7919) % 500);
        let now = START + secs(1) + Duration::from_millis(n) - late;
        !guard.check(&key(n), now).is_fresh()
    });
    let refused = u64::try_from(refused.count()).unwrap();
    println!("{refused} of {HELLOS} refused, {} bytes", guard.memory());
    assert!(refused * 100_000 <= HELLOS);
}

#[test]
fn within_its_window_a_guard_forgets_nothing() {
    for wait in [0, 1, 10, 20, 29, 30] {
        for begin in 0..70 {
            let guard = ReplayGuard::new(1000).unwrap();
            // Something turns the generations at any phase.
            for second in 0..=begin {
                let _ = guard.check(&key(1000 + second), START + secs(second));
            }
            let first = START + secs(begin);
            assert!(guard.check(&key(1), first).is_fresh());
            for second in 0..wait {
                let _ = guard.check(&key(2000 + second), first + secs(second));
            }
            assert_eq!(guard.check(&key(1), first + secs(wait)), ReplayVerdict::Replayed, "{begin} {wait}");
        }
    }
}

#[test]
fn no_clock_that_steps_makes_a_replay_look_new() {
    // A hello is fresh between 10 seconds before and 10 after what its ticket's age says; the guard must know it, or
    // decline, at each of these times whatever the clock has shown between.
    for leap in [0, 1, 15, 29, 31, 33, 60, 61, 62, 63, 64, 100, 1000, 1_000_000] {
        for taken_at in [0, 5, 20] {
            for back_at in [0, 5, 10, 15, 20] {
                let guard = ReplayGuard::new(10_000).unwrap();
                let hello = START + secs(100);
                let at = |second| hello - secs(10) + secs(second);
                assert!(guard.check(&key(1), at(taken_at)).is_fresh());
                // The clock leaps ahead, others come in, and it steps back. Every shard sees some of them.
                for n in 0..1000 {
                    let _ = guard.check(&key(10 + n), at(taken_at) + secs(leap));
                }
                let verdict = guard.check(&key(1), at(back_at));
                assert!(!verdict.is_fresh(), "{leap} {taken_at} {back_at}: {verdict:?}");
            }
        }
    }
}

#[test]
fn two_guards_and_a_guard_after_a_restart_have_names_of_their_own() {
    let guards: Vec<_> = (0..100).map(|_| ReplayGuard::new(1).unwrap()).collect();
    for (n, guard) in guards.iter().enumerate() {
        assert!(guards.iter().skip(n + 1).all(|other| other.id() != guard.id()));
        assert_eq!(guard.clone().id(), guard.id());
    }
}

#[test]
fn what_is_no_binder_is_declined() {
    let guard = ReplayGuard::new(10).unwrap();
    assert_eq!(guard.check(&ReplayKey(vec![1; 15]), START), ReplayVerdict::Broken);
    assert_eq!(ReplayGuard::with_window(10, secs(100)).unwrap().window(), secs(100));
}
