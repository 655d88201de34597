//! Whether a series drifts.

use statrs::distribution::{ContinuousCDF, Normal};

/// Fewest values that are judged.
const LEAST: usize = 3;

/// Most values whose p is exact.
const MOST_EXACT: usize = 50;

/// A series against its own order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Kendall's tau-b, -1 to 1: pairs that rise less pairs that fall, as a share.
    pub tau: f64,
    /// Probability, on both sides, of a tau as far from 0 or farther if the order means nothing.
    pub p: f64,
    /// Last value less first one by the median slope of all pairs; ln of their ratio for a series of logarithms.
    pub change: f64,
}

/// Kendall's test of a series against its order (Mann 1945, Nonparametric tests against trend; Kendall, Rank correlation methods),
/// with the slope of Theil 1950 and Sen 1968.
///
/// p is exact up to 50 values without ties: permutations are counted by their inversions. Otherwise tau is taken as normal with the
/// variance that ties leave, `(n (n - 1) (2n + 5) - sum t (t - 1) (2t + 5)) / 18` over the groups of t equal values.
/// The time grows with the square of the length.
///
/// `None` for fewer than three values and for values that are not finite.
pub fn trend(values: &[f64]) -> Option<Trend> {
    let n = values.len();
    if n < LEAST || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    let (mut rising, mut falling) = (0_u64, 0_u64);
    for (i, first) in values.iter().enumerate() {
        for (distance, second) in values[i + 1..].iter().enumerate() {
            rising += u64::from(second > first);
            falling += u64::from(second < first);
            slopes.push(second / (distance + 1) as f64 - first / (distance + 1) as f64);
        }
    }
    let untied = rising + falling;
    if untied == 0 {
        return Some(Trend { tau: 0.0, p: 1.0, change: 0.0 });
    }
    let score = rising as f64 - falling as f64;
    let pairs = slopes.len() as f64;
    let p = if untied as usize == slopes.len() && n <= MOST_EXACT {
        exact_p(n, rising.min(falling) as usize)
    } else {
        normal_p(score, score_variance(values))?
    };
    let change = median(slopes) * (n - 1) as f64;
    change.is_finite().then(|| Trend { tau: score / (pairs * untied as f64).sqrt(), p, change })
}

/// Twice the share of the permutations of n values that have `inversions` or fewer, at most 1.
fn exact_p(n: usize, inversions: usize) -> f64 {
    // shares[k]: permutations of m values with k inversions, as a share. The m-th value adds 0 to m - 1 of them.
    let mut shares = vec![0.0; inversions + 1];
    shares[0] = 1.0;
    for m in 2..=n {
        let before = shares.clone();
        let mut window = 0.0;
        for (k, share) in shares.iter_mut().enumerate() {
            window += before[k];
            if k >= m {
                window -= before[k - m];
            }
            *share = window / m as f64;
        }
    }
    (2.0 * shares.iter().sum::<f64>()).clamp(0.0, 1.0)
}

fn normal_p(score: f64, variance: f64) -> Option<f64> {
    let normal = Normal::new(0.0, 1.0).ok()?;
    Some((2.0 * normal.cdf(-score.abs() / variance.sqrt())).min(1.0))
}

fn score_variance(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|group| term(group.len() as f64)).sum();
    (term(values.len() as f64) - ties) / 18.0
}

/// Of at least one value.
fn median(mut values: Vec<f64>) -> f64 {
    let half = values.len() / 2;
    let (lower, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let upper = *upper;
    let below = lower.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.len().is_multiple_of(2) { f64::midpoint(below, upper) } else { upper }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_series_that_only_rises_is_as_rare_as_one_of_all_orders() {
        let trend = trend(&[1.0, 2.0, 3.0, 5.0, 8.0, 13.0]).unwrap();
        assert_eq!(trend.tau, 1.0);
        assert!((trend.p - 2.0 / 720.0).abs() < 1e-12, "{trend:?}");
        // Of the 15 slopes the middle one is that of 2 to 8 over three steps.
        assert!((trend.change - 10.0).abs() < 1e-12, "{trend:?}");
    }

    #[test]
    fn equal_values_have_no_trend() {
        assert_eq!(trend(&[4.0; 9]), Some(Trend { tau: 0.0, p: 1.0, change: 0.0 }));
    }

    #[test]
    fn too_few_values_or_none_that_count_have_no_test() {
        assert_eq!(trend(&[]), None);
        assert_eq!(trend(&[1.0, 2.0]), None);
        assert_eq!(trend(&[1.0, f64::NAN, 2.0]), None);
        assert_eq!(trend(&[1.0, f64::INFINITY, 2.0]), None);
    }

    proptest! {
        #[test]
        fn the_mirrored_series_has_the_mirrored_trend(values in prop::collection::vec(-5_i32..5, 3..70)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
            let (one, other) = (trend(&values).unwrap(), trend(&mirrored).unwrap());
            prop_assert!((one.tau + other.tau).abs() < 1e-12 && (one.p - other.p).abs() < 1e-12);
            prop_assert!((one.change + other.change).abs() < 1e-9);
            prop_assert!((-1.0..=1.0).contains(&one.tau) && (0.0..=1.0).contains(&one.p));
        }

        #[test]
        fn no_value_makes_it_panic(values in prop::collection::vec(prop::num::f64::ANY, 0..60)) {
            trend(&values);
        }
    }
}
