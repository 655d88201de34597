//! Resampling of rounds: the cross-check of the t interval.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// Most rounds of which every resample is counted: 6435 different ones, where 9 rounds have 24310.
const MOST_COUNTED: usize = 8;

/// Resamples that are drawn of more rounds.
const RESAMPLES: usize = 10_000;

/// Percentile interval of the mean effect over resamples of the rounds (Efron 1979, Bootstrap methods: another look at the
/// jackknife; Efron and Tibshirani 1993, chapter 13).
///
/// Up to eight rounds it is that of all resamples, each with its probability, and no chance is in it; of more rounds 10 000 are
/// drawn from `seed`. It is the plain percentile interval and not the accelerated one (BCa), as it is here to catch what Student's
/// t cannot see: a skewed set of rounds, of which one alone carries the mean. The acceleration would be estimated from the third
/// moment of a handful of rounds and is mostly noise there. By itself the percentile interval of k rounds is too narrow, by
/// `sqrt((k - 1) / k)` and by the difference of the normal and the t quantile, so it confirms a verdict and never makes one.
///
/// `None` for fewer than two effects, for one that is not finite and for a confidence outside of 0 to 1.
pub fn bootstrap_interval(effects: &[f64], confidence: f64, seed: u64) -> Option<(f64, f64)> {
    let usable = effects.len() >= 2 && effects.iter().all(|effect| effect.is_finite());
    if !(usable && confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let mut means = if effects.len() <= MOST_COUNTED { all_resamples(effects) } else { resamples(effects, seed) };
    means.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let tail = (1.0 - confidence) / 2.0;
    let low = beyond(means.iter(), tail)?;
    let high = beyond(means.iter().rev(), tail)?;
    (low.is_finite() && high.is_finite()).then_some((low, high))
}

/// The first mean at which more than `tail` of the resamples are passed.
fn beyond<'m>(means: impl Iterator<Item = &'m (f64, f64)>, tail: f64) -> Option<f64> {
    let mut passed = 0.0;
    for (mean, share) in means {
        passed += share;
        if passed > tail {
            return Some(*mean);
        }
    }
    None
}

/// Means of resamples that are drawn, each with its share of them.
fn resamples(effects: &[f64], seed: u64) -> Vec<(f64, f64)> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let n = effects.len() as f64;
    let mean = |_| (0..effects.len()).map(|_| effects[random.random_range(0..effects.len())] / n).sum();
    (0..RESAMPLES).map(mean).map(|mean| (mean, 1.0 / RESAMPLES as f64)).collect()
}

/// Means of all resamples that differ, each with its probability.
fn all_resamples(effects: &[f64]) -> Vec<(f64, f64)> {
    let n = effects.len();
    let orders: f64 = (1..=n).map(|i| i as f64 / n as f64).product();
    let mut means = Vec::new();
    add_resamples(effects, n, n as f64, (0.0, orders), &mut means);
    means
}

/// Adds the resamples that take `left` more effects out of `effects`. `chosen` is the sum of what was taken, over n, and the
/// probability of that so far: n! / n^n over the product of the factorials of the times that each was taken.
fn add_resamples(effects: &[f64], left: usize, n: f64, chosen: (f64, f64), means: &mut Vec<(f64, f64)>) {
    let Some((first, rest)) = effects.split_first() else {
        return;
    };
    let (mut sum, mut share) = chosen;
    for times in 0..=left {
        if times > 0 {
            sum += first / n;
            share /= times as f64;
        }
        if times == left {
            means.push((sum, share));
        } else {
            add_resamples(rest, left - times, n, (sum, share), means);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_resamples_are_counted_once() {
        for (n, different) in [(2, 3), (3, 10), (6, 462), (8, 6435)] {
            let effects: Vec<f64> = (0..n).map(f64::from).collect();
            let resamples = all_resamples(&effects);
            assert_eq!(resamples.len(), different);
            assert!((resamples.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let two = all_resamples(&[1.0, 3.0]);
        assert_eq!(two, [(3.0, 0.25), (2.0, 0.5), (1.0, 0.25)]);
    }

    #[test]
    fn a_mean_that_one_round_carries_is_not_confirmed() {
        let (low, high) = bootstrap_interval(&[0.0, 0.0, 0.0, 0.0, 0.0, 6.0], 0.95, 1).unwrap();
        // None of the six is the sixth with probability (5/6)^6 = .33, more than four are with .0087.
        assert_eq!((low, high), (0.0, 3.0));
        assert_eq!(bootstrap_interval(&[0.3; 6], 0.95, 1).map(|(low, high)| high - low < 1e-12), Some(true));
    }

    #[test]
    fn what_is_drawn_is_near_what_is_counted_and_the_same_for_the_same_seed() {
        let effects = [0.11, 0.03, -0.02, 0.07, 0.05, 0.01, 0.09, 0.04];
        let (low, high) = bootstrap_interval(&effects, 0.95, 1).unwrap();
        let mut drawn: Vec<f64> = resamples(&effects, 1).into_iter().map(|(mean, _)| mean).collect();
        drawn.sort_by(f64::total_cmp);
        assert!((drawn[250] - low).abs() < 0.002 && (drawn[9749] - high).abs() < 0.002);
        let more = [effects, effects].concat();
        assert_eq!(bootstrap_interval(&more, 0.95, 7), bootstrap_interval(&more, 0.95, 7));
        assert_ne!(bootstrap_interval(&more, 0.95, 7), bootstrap_interval(&more, 0.95, 8));
    }

    #[test]
    fn too_few_rounds_or_values_that_do_not_count_have_no_interval() {
        assert_eq!(bootstrap_interval(&[], 0.95, 1), None);
        assert_eq!(bootstrap_interval(&[1.0], 0.95, 1), None);
        assert_eq!(bootstrap_interval(&[1.0, f64::NAN], 0.95, 1), None);
        assert_eq!(bootstrap_interval(&[1.0, 2.0], 1.0, 1), None);
        assert_eq!(bootstrap_interval(&[1.0, 2.0], f64::NAN, 1), None);
    }

    proptest! {
        #[test]
        fn it_lies_within_the_effects_and_widens_with_the_confidence(
            effects in prop::collection::vec(-1.0..1.0, 2..12),
            confidence in 0.5..0.99,
            more in 0.0..0.009,
        ) {
            let (low, high) = bootstrap_interval(&effects, confidence, 3).unwrap();
            let (outer_low, outer_high) = bootstrap_interval(&effects, confidence + more, 3).unwrap();
            prop_assert!(outer_low <= low && low <= high && high <= outer_high);
            let (least, greatest) = effects.iter().fold((f64::MAX, f64::MIN), |(a, b), e| (a.min(*e), b.max(*e)));
            prop_assert!(least - 1e-12 <= outer_low && outer_high <= greatest + 1e-12);
        }

        #[test]
        fn no_value_makes_it_panic(effects in prop::collection::vec(prop::num::f64::ANY, 0..10)) {
            bootstrap_interval(&effects, 0.95, 1);
        }
    }
}
