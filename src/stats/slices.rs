//! Two measurements that were not interleaved, judged by the slices of each.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::{
    block_length::block_length,
    compact::CompactHistogram,
    correlation::{bootstrap_deficit, correlation, independent_values},
    estimate::{Estimate, estimate, moments, satterthwaite},
    quantile::{position, samples_of_block},
};

/// Fewest slices of a side.
const LEAST: usize = 10;

/// Resamples of each side. The standard error of n resamples is off by `1 / sqrt(2 n)`, here 2 %.
const RESAMPLES: usize = 1_000;

/// The times of a slice, as few of them as occur: a histogram takes 270 KB whatever is in it, and an hour has 3600 slices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceTimes {
    /// The middles of the buckets that have samples, each with the number of samples at or below it.
    cumulative: Box<[(u64, u32)]>,
}

impl SliceTimes {
    /// Samples.
    pub fn samples(&self) -> u64 {
        self.cumulative.last().map_or(0, |(_, samples)| u64::from(*samples))
    }
}

impl From<&CompactHistogram> for SliceTimes {
    fn from(times: &CompactHistogram) -> Self {
        let mut seen = 0_u64;
        let bucket = |(middle, count)| {
            seen = seen.saturating_add(count);
            (middle, u32::try_from(seen).unwrap_or(u32::MAX))
        };
        Self { cumulative: times.middles().map(bucket).collect() }
    }
}

/// ln of the ratio of the `p` quantiles of two series of consecutive slices, with an interval by the circular block bootstrap.
///
/// Resampled are stretches of consecutive slices of each side (Künsch 1989, The jackknife and the bootstrap for general stationary
/// observations; Politis and Romano 1992, A circular block-resampling procedure for stationary data), of a length chosen from the
/// slices themselves, so that what one slice hands to the next stays in the resample. The quantile is that of the merged slices, of
/// the same definition as that of a block; the error of each side is the deviation of ln of it over 1000 resamples.
///
/// Of short series that remember long, that alone is much too small. So the variance is multiplied by what the bootstrap is known to
/// miss of a first-order autoregression with the correlation that the slices show, and the interval is `effect +- t error` with the
/// degrees of freedom of the stretches that do not overlap, or of the independent values that the slices are worth if they are fewer,
/// less one, on each side, combined as Satterthwaite 1946 does.
///
/// It says nothing of drift between the measurements. `None` below ten slices on a side, below the samples that a block needs for
/// that quantile, and for a confidence outside of 0 to 1. The same seed gives the same interval.
pub fn slice_bootstrap(
    before: &[SliceTimes],
    after: &[SliceTimes],
    p: f64,
    confidence: f64,
    seed: u64,
) -> Option<Estimate> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    difference(quantile_of_side(before, p, &mut random)?, quantile_of_side(after, p, &mut random)?, confidence)
}

/// ln of the ratio of the means of two series with a value for each slice, such as throughput, by the same bootstrap as
/// [`slice_bootstrap`].
///
/// `None` below ten slices on a side, for values that are not finite, for a mean that is not above 0, and for a confidence outside of
/// 0 to 1.
pub fn slice_bootstrap_means(before: &[f64], after: &[f64], confidence: f64, seed: u64) -> Option<Estimate> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    difference(mean_of_side(before, &mut random)?, mean_of_side(after, &mut random)?, confidence)
}

/// One side: ln of its value, and how sure that is.
struct Side {
    value: f64,
    error: f64,
    freedom: f64,
    slices: usize,
}

fn difference(before: Side, after: Side, confidence: f64) -> Option<Estimate> {
    let (from, to) = (before.error.powi(2), after.error.powi(2));
    let sd = (from * before.slices as f64 + to * after.slices as f64).sqrt();
    let freedom = satterthwaite((from, before.freedom), (to, after.freedom));
    let slices = before.slices + after.slices;
    estimate(after.value - before.value, (from + to).sqrt(), freedom, confidence, sd, slices)
}

fn quantile_of_side(slices: &[SliceTimes], p: f64, random: &mut Xoshiro256PlusPlus) -> Option<Side> {
    if slices.len() < LEAST {
        return None;
    }
    let mut merged = Merged::new(slices);
    let once = vec![1; slices.len()];
    let samples: u64 = merged.samples.iter().map(|samples| u64::from(*samples)).sum();
    if samples < samples_of_block(p) {
        return None;
    }
    let value = merged.quantile(&once, p)?;
    // What each slice adds to the quantile, up to a factor: the samples at or below it, less those expected there.
    let below = merged.at_most(merged.last_at_most(value)).to_vec();
    let expected = merged.samples.iter().map(|samples| f64::from(*samples) * p);
    let influence: Vec<f64> =
        below.iter().zip(expected).map(|(below, expected)| f64::from(*below) - expected).collect();
    side(value, &influence, random, |weights| merged.quantile(weights, p))
}

fn mean_of_side(values: &[f64], random: &mut Xoshiro256PlusPlus) -> Option<Side> {
    if values.len() < LEAST || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mean = |weights: &[u32]| {
        let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum();
        Some(sum / values.len() as f64)
    };
    let value = mean(&vec![1; values.len()])?;
    side(value, values, random, mean)
}

/// The error of `value` from resamples of slices in circular blocks. `influence` is what each slice adds to it, up to a factor;
/// `statistic` takes how often each slice is in a resample.
fn side(
    value: f64,
    influence: &[f64],
    random: &mut Xoshiro256PlusPlus,
    mut statistic: impl FnMut(&[u32]) -> Option<f64>,
) -> Option<Side> {
    let (n, length, correlation) = (influence.len(), block_length(influence), correlation(influence));
    let mut values = Vec::with_capacity(RESAMPLES);
    let mut weights = vec![0; n];
    for _ in 0..RESAMPLES {
        weights.fill(0);
        let mut left = n;
        while left > 0 {
            let start = random.random_range(0..n);
            let taken = length.min(left);
            (start..start + taken).for_each(|slice| weights[slice % n] += 1);
            left -= taken;
        }
        values.extend(statistic(&weights).map(f64::ln).filter(|value| value.is_finite()));
    }
    let variance = moments(&values)?.variance * bootstrap_deficit(correlation, length, n);
    let freedom = (n as f64 / length as f64).min(independent_values(correlation, n)) - 1.0;
    let value = value.ln();
    (value.is_finite() && variance.is_finite()).then(|| Side {
        value,
        error: variance.sqrt(),
        freedom: freedom.max(1.0),
        slices: n,
    })
}

/// Slices whose quantile together is asked for again and again, each time with other weights.
///
/// A quantile is found by bisection over the values that occur, with a sum over the slices at each step, so that a resample costs
/// about `slices * log2(values)` whatever the samples are.
struct Merged<'a> {
    /// Every value that occurs, ascending.
    values: Vec<u64>,
    slices: &'a [SliceTimes],
    /// Samples of each slice.
    samples: Vec<u32>,
    /// Samples of each slice at or below the value at an index, as far as it was asked for.
    columns: HashMap<usize, Vec<u32>>,
}

impl<'a> Merged<'a> {
    fn new(slices: &'a [SliceTimes]) -> Self {
        let mut values = Vec::new();
        for slice in slices {
            values.extend(slice.cumulative.iter().map(|(value, _)| *value));
            // Two ascending runs, which the stable sort merges.
            values.sort();
            values.dedup();
        }
        let samples = slices.iter().map(|slice| slice.cumulative.last().map_or(0, |(_, samples)| *samples)).collect();
        Self { values, slices, samples, columns: HashMap::new() }
    }

    /// Index of the greatest value that is at most `value`.
    fn last_at_most(&self, value: f64) -> usize {
        self.values.partition_point(|other| *other as f64 <= value).saturating_sub(1)
    }

    /// Samples of each slice at or below the value at `index`.
    fn at_most(&mut self, index: usize) -> &[u32] {
        let (values, slices) = (&self.values, self.slices);
        self.columns.entry(index).or_insert_with(|| {
            let value = values[index];
            let at_most = |SliceTimes { cumulative: slice }: &SliceTimes| {
                let beyond = slice.partition_point(|(other, _)| *other <= value);
                beyond.checked_sub(1).map_or(0, |last| slice[last].1)
            };
            slices.iter().map(at_most).collect()
        })
    }

    /// The `p` quantile of the slices, each taken as often as its weight says.
    fn quantile(&mut self, weights: &[u32], p: f64) -> Option<f64> {
        let samples = weighted(&self.samples, weights);
        if samples == 0 {
            return None;
        }
        let (rank, share) = position(samples, p);
        let lower = self.order_statistic(weights, rank);
        let upper = if share > 0.0 { self.order_statistic(weights, rank + 1) } else { lower };
        Some(lower + share * (upper - lower))
    }

    fn order_statistic(&mut self, weights: &[u32], rank: u64) -> f64 {
        let (mut low, mut high) = (0, self.values.len() - 1);
        while low < high {
            let middle = usize::midpoint(low, high);
            if weighted(self.at_most(middle), weights) >= rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        self.values[low] as f64
    }
}

fn weighted(counts: &[u32], weights: &[u32]) -> u64 {
    counts.iter().zip(weights).map(|(count, weight)| u64::from(*count) * u64::from(*weight)).sum()
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    use super::*;
    use crate::stats::{block_quantile, empty_histogram as empty};

    fn slices(n: usize, samples: usize, factor: f64, seed: u64) -> Vec<SliceTimes> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let slice = |_| {
            let mut slice = empty();
            for _ in 0..samples {
                slice.record((factor * 1e6 * (1.0 - random.random::<f64>()).ln().abs()) as u64 + 1).unwrap();
            }
            SliceTimes::from(&CompactHistogram::new(&slice))
        };
        (0..n).map(slice).collect()
    }

    #[test]
    fn it_finds_the_ratio_of_independent_slices() {
        let (before, after) = (slices(30, 300, 1.0, 1), slices(30, 300, 2.0, 2));
        for p in [0.5, 0.95, 0.99] {
            let estimate = slice_bootstrap(&before, &after, p, 0.95, 1).unwrap();
            assert!(estimate.low < 2_f64.ln() && 2_f64.ln() < estimate.high, "{p}: {estimate:?}");
            // ln of the quantile of 9000 exponential values: sqrt(p / (n (1 - p))) / -ln(1 - p), on both sides.
            let error = (2.0 * p / (9000.0 * (1.0 - p))).sqrt() / -(1.0 - p).ln();
            let width = (estimate.high - estimate.low) / error / (2.0 * 2.1);
            assert!((0.7..1.4).contains(&width), "{p}: {width} of the expected width");
            assert_eq!(slice_bootstrap(&before, &after, p, 0.95, 1), Some(estimate));
        }
    }

    #[test]
    fn it_finds_the_ratio_of_means() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let before: Vec<f64> = (0..40).map(|_| 100.0 + 10.0 * random.random::<f64>()).collect();
        let after: Vec<f64> = before.iter().map(|value| value * 1.5).collect();
        let estimate = slice_bootstrap_means(&before, &after, 0.95, 1).unwrap();
        assert!((estimate.effect - 1.5_f64.ln()).abs() < 1e-12);
        assert!(estimate.low < estimate.effect && estimate.effect < estimate.high && estimate.high < 0.45);
        let same = slice_bootstrap_means(&[5.0; 10], &[5.0; 10], 0.95, 1).unwrap();
        assert_eq!((same.low, same.high), (0.0, 0.0));
    }

    #[test]
    fn too_little_or_nothing_has_no_interval() {
        let few = slices(9, 300, 1.0, 1);
        let enough = slices(10, 300, 1.0, 1);
        let nothing = vec![SliceTimes::from(&CompactHistogram::default()); 20];
        assert_eq!(slice_bootstrap(&few, &enough, 0.5, 0.95, 1), None);
        assert_eq!(slice_bootstrap(&enough, &nothing, 0.5, 0.95, 1), None);
        assert_eq!(slice_bootstrap(&enough, &enough, 0.9999, 0.95, 1), None);
        assert_eq!(slice_bootstrap(&enough, &enough, f64::NAN, 0.95, 1), None);
        assert_eq!(slice_bootstrap(&enough, &enough, 0.5, 1.0, 1), None);
        assert_eq!(slice_bootstrap_means(&[1.0; 9], &[1.0; 10], 0.95, 1), None);
        assert_eq!(slice_bootstrap_means(&[0.0; 10], &[1.0; 10], 0.95, 1), None);
        assert_eq!(slice_bootstrap_means(&[f64::NAN; 10], &[1.0; 10], 0.95, 1), None);
        // Samples in one slice of many: most resamples have none.
        let mut rare = nothing;
        rare[3] = slices(1, 300, 1.0, 3).remove(0);
        assert!(slice_bootstrap(&enough, &rare, 0.5, 0.95, 1).is_some());
    }

    proptest! {
        #[test]
        fn merged_slices_have_the_quantile_of_their_sum(
            values in prop::collection::vec(prop::collection::vec(1_u64..100_000_000, 0..40), 4..12),
            weights in prop::collection::vec(0_u32..4, 12),
            p in 0.05..0.95,
        ) {
            let slices: Vec<Histogram<u64>> = values
                .iter()
                .map(|values| {
                    let mut slice = empty();
                    values.iter().for_each(|value| slice.record(*value).unwrap());
                    slice
                })
                .collect();
            let mut sum = empty();
            for (slice, weight) in slices.iter().zip(&weights) {
                (0..*weight).for_each(|_| sum.add(slice).unwrap());
            }
            if let Some(expected) = block_quantile(&sum, p) {
                let times: Vec<SliceTimes> = slices.iter().map(|slice| SliceTimes::from(&CompactHistogram::new(slice))).collect();
                let quantile = Merged::new(&times).quantile(&weights[..slices.len()], p).unwrap();
                prop_assert!((quantile - expected).abs() <= 1e-9 * expected, "{} {}", quantile, expected);
            }
        }

        #[test]
        fn no_value_makes_the_means_panic(values in prop::collection::vec(prop::num::f64::ANY, 0..30)) {
            slice_bootstrap_means(&values, &values, 0.95, 1);
        }
    }
}
