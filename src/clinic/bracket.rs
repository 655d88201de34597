//! Which rate to try next, until the highest one that is kept stands between two that are near each other.

use crate::scenario::GREATEST_RATE;

/// Most rates that are tried.
const MOST_TRIES: u32 = 16;

/// The highest rate that was kept and the lowest above it that was not are near when they differ by no more than this share.
const NEAR: f64 = 0.05;

/// Rates, in arrivals a second, that were tried.
#[derive(Debug)]
pub(super) struct Bracket {
    first: f64,
    lowest: f64,
    kept: Vec<f64>,
    failed: Option<f64>,
    tries: u32,
}

impl Bracket {
    /// Begins at `first`, tries none below `lowest`.
    pub(super) fn new(first: f64, lowest: f64) -> Self {
        let lowest = lowest.min(GREATEST_RATE);
        Self {
            first: three_digits(first).clamp(lowest, GREATEST_RATE),
            lowest,
            kept: Vec::new(),
            failed: None,
            tries: 0,
        }
    }

    /// The rate to try next: twice the last one until one is not kept, or half of it until one is; then the geometric mean of
    /// the two ends. `None` when they are near, or there is nothing more to try.
    pub(super) fn next(&self) -> Option<f64> {
        if self.tries >= MOST_TRIES {
            return None;
        }
        match (self.highest_kept(), self.failed) {
            (None, None) => Some(self.first),
            (Some(kept), None) => (kept < GREATEST_RATE).then(|| (2.0 * kept).min(GREATEST_RATE)),
            (None, Some(failed)) => (failed > self.lowest).then(|| (failed / 2.0).max(self.lowest)),
            (Some(kept), Some(failed)) => (failed > kept * (1.0 + NEAR)).then(|| three_digits((kept * failed).sqrt())),
        }
    }

    /// Notes what came of a rate. One that is not kept overrules that it, or a higher one, was.
    pub(super) fn note(&mut self, rate: f64, is_kept: bool) {
        self.tries += 1;
        if is_kept {
            self.kept.push(rate);
        } else {
            self.failed = Some(self.failed.map_or(rate, |failed| failed.min(rate)));
            self.kept.retain(|kept| *kept < rate);
        }
    }

    /// The highest rate that was kept, below all that were not.
    pub(super) fn highest_kept(&self) -> Option<f64> {
        self.kept.iter().copied().reduce(f64::max)
    }
}

/// A rate that can be written in a few digits, which is finer than what is looked for.
pub(super) fn three_digits(rate: f64) -> f64 {
    format!("{rate:.2e}").parse().unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rates that are tried where those up to `capacity` are kept.
    fn tried(bracket: &mut Bracket, capacity: f64) -> Vec<f64> {
        let mut tried = Vec::new();
        while let Some(rate) = bracket.next() {
            bracket.note(rate, rate <= capacity);
            tried.push(rate);
        }
        tried
    }

    #[test]
    fn doubles_until_one_fails_then_bisects() {
        let mut bracket = Bracket::new(100.0, 10.0);
        assert_eq!(tried(&mut bracket, 500.0), [100.0, 200.0, 400.0, 800.0, 566.0, 476.0, 519.0, 497.0]);
        assert_eq!((bracket.highest_kept(), bracket.failed), (Some(497.0), Some(519.0)));
    }

    #[test]
    fn halves_when_the_first_fails_but_not_below_the_lowest() {
        assert_eq!(tried(&mut Bracket::new(100.0, 10.0), 30.0), [100.0, 50.0, 25.0, 35.4, 29.7, 32.4, 31.0]);
        let mut hopeless = Bracket::new(100.0, 10.0);
        assert_eq!(tried(&mut hopeless, 1.0), [100.0, 50.0, 25.0, 12.5, 10.0]);
        assert_eq!((hopeless.highest_kept(), hopeless.failed), (None, Some(10.0)));
        assert_eq!(tried(&mut Bracket::new(3.0, 10.0), 1.0), [10.0]);
    }

    #[test]
    fn is_bounded_in_rate_and_tries() {
        assert_eq!(tried(&mut Bracket::new(6e6, 1.0), f64::MAX), [6e6, GREATEST_RATE]);
        assert_eq!(tried(&mut Bracket::new(1.0, 1e-3), f64::MAX).len(), MOST_TRIES as usize);
        assert_eq!(tried(&mut Bracket::new(1e6, 1e-3), 0.0).len(), MOST_TRIES as usize);
    }

    #[test]
    fn a_rate_that_fails_later_is_not_the_one() {
        let mut bracket = Bracket::new(100.0, 10.0);
        tried(&mut bracket, 500.0);
        bracket.note(497.0, false);
        assert_eq!((bracket.highest_kept(), bracket.next()), (Some(476.0), None));
        bracket.note(476.0, false);
        assert_eq!((bracket.highest_kept(), bracket.next()), (Some(400.0), Some(436.0)));
    }

    proptest! {
        #[test]
        fn the_capacity_stands_between_ends_that_are_near(first in 1.0_f64..1e5, factor in 0.01_f64..60.0) {
            let capacity = first * factor;
            let mut bracket = Bracket::new(first, 1e-3);
            let tried = tried(&mut bracket, capacity);
            prop_assert!(tried.len() <= MOST_TRIES as usize);
            let (kept, failed) = (bracket.highest_kept().unwrap(), bracket.failed.unwrap());
            prop_assert!(kept <= capacity && capacity < failed && failed <= kept * (1.0 + NEAR), "{kept} {failed}");
        }
    }
}
