//! When the operations of an open load are to start: fixed before the run, whatever becomes of earlier ones.

use std::time::Duration;

use super::profile::Profile;
use crate::{
    draw::Stream,
    scenario::{self, Stage},
};

/// Intended start times of an open load, in order: the number of the operation and nanoseconds from the begin.
///
/// Arrival `k` has a place on a line on which one arrival is expected in each unit: `k` itself where they are constant; where they
/// are Poisson the place before and an exponential gap of mean 1, `-ln(U)`, with `U` drawn by number. It starts at the time at which
/// the integral of the rate reaches that place. At a rate `R` that is `k / R` and `t_(k-1) - ln(U) / R`, and it holds for any course
/// of the rate (time rescaling of a Poisson process: Çınlar, Introduction to Stochastic Processes, 1975, section 4.7).
#[derive(Debug, Clone)]
pub struct Arrivals {
    profile: Profile,
    stage: usize,
    spread: scenario::Arrivals,
    stream: Stream,
    /// Number of the next arrival.
    number: u64,
    /// Its place: in whole units, and what is beyond. Apart, so that nothing is lost however far it goes.
    units: u64,
    fraction: f64,
}

impl Arrivals {
    /// Arrivals within the window of `profile`, a rate in arrivals a second; numbers count from 0.
    pub fn new(profile: Profile, spread: scenario::Arrivals, seed: u64) -> Self {
        Self::numbered(profile, spread, seed, 0)
    }

    /// Arrivals of the warm-up for `profile`: at [`Profile::initial`], without end; numbers count from [`WARM_UP`].
    pub fn of_warm_up(profile: &Profile, spread: scenario::Arrivals, seed: u64) -> Self {
        let rate = profile.initial();
        let endless = Stage { duration: Duration::from_nanos(u64::MAX), from: rate, to: rate };
        Self::numbered(Profile::new(&[endless]), spread, seed, WARM_UP)
    }

    fn numbered(profile: Profile, spread: scenario::Arrivals, seed: u64, number: u64) -> Self {
        let stream = Stream::new(seed, &["arrivals"]);
        let mut arrivals = Self { profile, stage: 0, spread, stream, number, units: 0, fraction: 0.0 };
        if spread == scenario::Arrivals::Poisson {
            arrivals.advance();
        }
        arrivals
    }

    /// Moves the place on to that of the arrival whose number is next.
    #[inline]
    fn advance(&mut self) {
        match self.spread {
            scenario::Arrivals::Constant => self.units += 1,
            scenario::Arrivals::Poisson => {
                // 1 - U is above 0, which U is not.
                let place = self.fraction - (1.0 - self.stream.at(self.number).unit()).ln();
                self.units += place as u64;
                self.fraction = place.fract();
            }
        }
    }
}

impl Iterator for Arrivals {
    type Item = (u64, u64);

    #[inline]
    fn next(&mut self) -> Option<(u64, u64)> {
        loop {
            let stage = self.profile.span(self.stage)?;
            let whole = stage.before as u64;
            let integral =
                self.units.wrapping_sub(whole) as i64 as f64 + (self.fraction - (stage.before - whole as f64));
            if integral >= stage.integral() {
                self.stage += 1;
                continue;
            }
            // Rounding can put a place just before the one where a stage begins.
            let at = stage.when(integral.max(0.0));
            if at >= self.profile.end_ns() {
                return None;
            }
            let arrival = (self.number, at);
            self.number += 1;
            self.advance();
            return Some(arrival);
        }
    }
}

/// Marks the numbers of operations in the warm-up, so that the measured ones are the same however long it took.
pub const WARM_UP: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scenario::Arrivals::{Constant, Poisson};

    use super::*;

    fn profile(stages: &[(f64, f64, f64)]) -> Profile {
        let stage =
            |(s, from, to): &(f64, f64, f64)| Stage { duration: Duration::from_secs_f64(*s), from: *from, to: *to };
        Profile::new(&stages.iter().map(stage).collect::<Vec<_>>())
    }

    fn times(stages: &[(f64, f64, f64)], spread: scenario::Arrivals) -> Vec<u64> {
        let arrivals = Arrivals::new(profile(stages), spread, 7);
        (0..).zip(arrivals).map(|(number, (told, ns))| (told == number).then_some(ns).unwrap()).collect()
    }

    #[test]
    fn constant_arrivals_are_at_k_over_the_rate() {
        assert_eq!(times(&[(1.0, 4.0, 4.0)], Constant), [0, 250_000_000, 500_000_000, 750_000_000]);
        assert_eq!(times(&[(0.01, 300.0, 300.0)], Constant), [0, 3_333_333, 6_666_667]);
        // 0.1 * 30 is a little above 3; the fourth would be at the end of the window.
        assert_eq!(times(&[(30.0, 0.1, 0.1)], Constant), [0, 10_000_000_000, 20_000_000_000]);
    }

    #[test]
    fn a_constant_ramp_follows_the_closed_formula() {
        for (from, to) in [(0.0, 100.0), (20.0, 80.0), (90.0, 10.0), (100.0, 0.0)] {
            let slope = (to - from) / 10.0;
            let times = times(&[(10.0, from, to)], Constant);
            assert_eq!(times.len() as f64, f64::midpoint(from, to) * 10.0);
            for (k, ns) in times.into_iter().enumerate() {
                let t = (-from + f64::sqrt(from * from + 2.0 * slope * k as f64)) / slope;
                assert!((ns as f64 / 1e9 - t).abs() < 1e-8, "{from} to {to}: {k} at {ns}, not {t}");
            }
        }
    }

    #[test]
    fn stages_follow_each_other_without_a_seam() {
        // 10 arrivals in the first second, 5 in the second, none in the third, 10 in the fourth.
        let times = times(&[(1.0, 10.0, 10.0), (1.0, 10.0, 0.0), (1.0, 0.0, 0.0), (1.0, 10.0, 10.0)], Constant);
        let in_second = |second: u64| times.iter().filter(|ns| **ns / 1_000_000_000 == second).count();
        assert_eq!([0, 1, 2, 3].map(in_second), [10, 5, 0, 10]);
        assert_eq!(times[15], 3_000_000_000);
        assert!(self::times(&[(5.0, 0.0, 0.0)], Constant).is_empty());
        assert!(self::times(&[(5.0, 0.0, 0.0)], Poisson).is_empty());
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let times = times(&[(100.0, 2000.0, 2000.0)], Poisson);
        let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e9 * 2000.0).collect();
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        // Standard errors over 200 000 gaps: 0.0022 and 0.0063.
        assert!((mean - 1.0).abs() < 0.009, "{mean}");
        assert!((variance - 1.0).abs() < 0.026, "{variance}");
        for at in [0.1, 0.5, 1.0, 2.0, 4.0] {
            let share = gaps.iter().filter(|gap| **gap > at).count() as f64 / count;
            assert!((share - f64::exp(-at)).abs() < 0.005, "{share} of the gaps are above {at}");
        }
    }

    #[test]
    fn a_poisson_ramp_has_the_rate_of_its_moment() {
        let times = times(&[(100.0, 0.0, 4000.0)], Poisson);
        for quarter in 0..4 {
            let within = |ns: &&u64| (quarter * 25..(quarter + 1) * 25).contains(&(**ns / 1_000_000_000));
            // The integral of 40 t from 25 q to 25 (q + 1).
            let expected = 20.0 * 625.0 * (2.0 * quarter as f64 + 1.0);
            let found = times.iter().filter(within).count() as f64;
            assert!((found - expected).abs() < 4.0 * expected.sqrt(), "quarter {quarter}: {found}, not {expected}");
        }
    }

    #[test]
    fn a_week_at_a_million_a_second_loses_no_nanosecond() {
        let week = 7.0 * 24.0 * 3600.0;
        for stages in [vec![(week, 1e6, 1e6)], vec![(week / 2.0, 1e6, 1e6), (week / 2.0, 1e6, 1e6)]] {
            let mut arrivals = Arrivals::new(profile(&stages), Constant, 7);
            let last = 604_800_000_000 - 1000;
            (arrivals.units, arrivals.number) = (last, last);
            let end: Vec<_> = arrivals.collect();
            assert_eq!(end.len(), 1000);
            assert!(end.into_iter().all(|(number, ns)| ns.abs_diff(number * 1000) <= 1));
        }
        // The week ends as it began: the gaps are those that were drawn.
        let (units, mut arrivals) = (604_700_000_000, Arrivals::new(profile(&[(week, 1e6, 1e6)]), Poisson, 7));
        let early: Vec<u64> = arrivals.clone().take(1000).map(|(_, ns)| ns).collect();
        arrivals.units += units;
        for (early, (_, late)) in early.into_iter().zip(arrivals) {
            assert!((early + units * 1000).abs_diff(late) <= 1);
        }
    }

    #[test]
    fn the_warm_up_goes_on_at_the_rate_of_the_begin_with_numbers_of_its_own() {
        let profile = profile(&[(10.0, 200.0, 900.0)]);
        let warm: Vec<_> = Arrivals::of_warm_up(&profile, Constant, 7).take(1_000_000).collect();
        assert_eq!((warm[0], warm[999_999]), ((WARM_UP, 0), (WARM_UP | 999_999, 999_999 * 5_000_000)));
        let nothing = self::profile(&[(1.0, 0.0, 0.0)]);
        assert_eq!(Arrivals::of_warm_up(&nothing, Poisson, 7).next(), None);
        let poisson = |profile: &Profile| Arrivals::of_warm_up(profile, Poisson, 7).nth(100).unwrap().1;
        let measured = Arrivals::new(profile.clone(), Poisson, 7).nth(100).unwrap().1;
        assert_ne!(poisson(&profile), measured);
    }

    proptest! {
        #[test]
        fn arrivals_are_in_order_within_the_window_and_as_many_as_the_rate_says(
            stages in proptest::collection::vec((0.001_f64..5.0, 0.0_f64..2000.0), 1..5),
            first in 0.0_f64..2000.0,
            poisson: bool,
            seed: u64,
        ) {
            let mut from = first;
            let stages: Vec<_> = stages.into_iter().map(|(s, to)| (s, std::mem::replace(&mut from, to), to)).collect();
            let profile = profile(&stages);
            let spread = if poisson { Poisson } else { Constant };
            let one: Vec<_> = Arrivals::new(profile.clone(), spread, seed).collect();
            let same: Vec<_> = Arrivals::new(profile.clone(), spread, seed).collect();
            prop_assert_eq!(&one, &same);
            prop_assert!(one.is_sorted_by_key(|(_, ns)| *ns));
            prop_assert!(one.iter().all(|(_, ns)| *ns < profile.end_ns()));
            prop_assert!((0..).zip(&one).all(|(number, (told, _))| number == *told));
            let (found, expected) = (one.len() as f64, profile.integral());
            let allowed = if poisson { 6.0 * expected.sqrt() + 6.0 } else { 1.0 };
            prop_assert!((found - expected).abs() <= allowed, "{found}, not {expected}");
        }
    }
}
