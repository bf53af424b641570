//! Two contenders, interleaved round by round, and the median of the per-round ratios: absolute times drift with the
//! machine and its neighbours, the ratio within one round hardly does.

use std::time::Duration;

/// Something whose work comes in equal units.
pub trait Contender {
    /// Does `units` of work and returns the time that they took, preparations not counted.
    fn run(&mut self, units: usize) -> Duration;
}

/// How fast `ours` is as a fraction of how fast `reference` is: the median over `rounds` rounds of `units` units.
/// Who goes first alternates.
pub fn speed(ours: &mut dyn Contender, reference: &mut dyn Contender, rounds: usize, units: usize) -> f64 {
    ours.run(units);
    reference.run(units);
    let mut ratios: Vec<f64> = (0..rounds)
        .map(|round| {
            let (mine, theirs);
            if round % 2 == 0 {
                mine = ours.run(units);
                theirs = reference.run(units);
            } else {
                theirs = reference.run(units);
                mine = ours.run(units);
            }
            theirs.as_secs_f64() / mine.as_secs_f64().max(1e-12)
        })
        .collect();
    median(&mut ratios)
}

/// The least time of one unit, of `rounds` rounds of `units`: what else the machine does can only add to any.
pub fn least(contender: &mut dyn Contender, rounds: usize, units: usize) -> Duration {
    let times = (0..rounds.max(1)).map(|_| contender.run(units));
    times.min().unwrap_or_default() / u32::try_from(units.max(1)).unwrap_or(u32::MAX)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Steady(u64);

    impl Contender for Steady {
        fn run(&mut self, units: usize) -> Duration {
            Duration::from_nanos(self.0 * units as u64)
        }
    }

    #[test]
    fn twice_the_time_is_half_the_speed() {
        let speed = speed(&mut Steady(200), &mut Steady(100), 9, 10);
        assert!((speed - 0.5).abs() < 1e-9, "{speed}");
    }

    #[test]
    fn the_least_time_is_that_of_one_unit() {
        assert_eq!(least(&mut Steady(200), 3, 10), Duration::from_nanos(200));
    }

    #[test]
    fn the_median_ignores_outliers() {
        assert!((median(&mut [1.0, 900.0, 1.1, 1.2, 0.0]) - 1.1).abs() < 1e-9);
    }
}
