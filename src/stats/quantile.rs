//! The quantile of a block: the value that a verdict compares.

use hdrhistogram::Histogram;

/// Fewest samples of any quantile.
const LEAST: u64 = 5;

/// The `p` quantile (0 < p < 1) of the histogram in its unit, or `None` below `max(5, 1 / (1 - p))` samples.
///
/// Definition 8 of Hyndman and Fan 1996 (Sample quantiles in statistical packages): with the order statistics
/// `x_1 <= .. <= x_n` and `h = (n + 1/3) p + 1/3`, `x_floor(h) + (h - floor(h)) (x_(floor(h) + 1) - x_floor(h))`. It is
/// about median-unbiased whatever the distribution, so that blocks of unlike size can be compared; the order statistic at
/// `ceil(np)` of a few samples of a long tail is not. An order statistic is the middle of its bucket.
pub fn block_quantile(histogram: &Histogram<u64>, p: f64) -> Option<f64> {
    let middle = |value| histogram.median_equivalent(value);
    let buckets = histogram.iter_recorded().map(|step| (middle(step.value_iterated_to()), step.count_at_value()));
    quantile(histogram.len(), buckets, p)
}

/// [`block_quantile`] of `samples` times in buckets: the middle and the count of each, ascending.
pub(super) fn quantile(samples: u64, buckets: impl Iterator<Item = (u64, u64)>, p: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) || samples < samples_of_block(p) {
        return None;
    }
    let (rank, share) = position(samples, p);
    let mut seen = 0;
    let mut lower = None;
    for (middle, count) in buckets {
        seen += count;
        let middle = middle as f64;
        if lower.is_none() && seen >= rank {
            lower = Some(middle);
        }
        if let Some(lower) = lower
            && (share == 0.0 || seen > rank)
        {
            return Some(lower + share * (middle - lower));
        }
    }
    lower
}

/// Least number of samples that a block needs for its `p` quantile.
pub fn samples_of_block(p: f64) -> u64 {
    // A little less, so that 1 / (1 - .9), a little above 10 in binary, is 10.
    LEAST.max((1.0 / (1.0 - p) - 1e-6).ceil() as u64)
}

/// Where the `p` quantile of `n` samples lies: the rank of the order statistic below it, from 1, and the share of the way to
/// the next one.
pub(super) fn position(n: u64, p: f64) -> (u64, f64) {
    let h = (n as f64 + 1.0 / 3.0) * p + 1.0 / 3.0;
    let rank = h.floor().clamp(1.0, n as f64);
    (rank as u64, if rank as u64 >= n { 0.0 } else { (h - rank).clamp(0.0, 1.0) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for value in values {
            histogram.record(*value).unwrap();
        }
        histogram
    }

    #[test]
    fn it_lies_between_the_order_statistics_that_the_definition_names() {
        let block = histogram(&[10, 20, 30, 40, 50, 60]);
        assert_eq!(block_quantile(&block, 0.5), Some(35.0));
        // h = 19/3 * .25 + 1/3 = 1.91667
        assert!((block_quantile(&block, 0.25).unwrap() - 19.166_666_666_666_67).abs() < 1e-9);
        assert_eq!(block_quantile(&histogram(&[7; 9]), 0.5), Some(7.0));
    }

    #[test]
    fn a_block_needs_the_samples_that_have_one_beyond_the_quantile() {
        for (p, least) in [(0.5, 5), (0.9, 10), (0.95, 20), (0.99, 100), (0.999, 1000)] {
            let values: Vec<u64> = (1..least).collect();
            assert_eq!(block_quantile(&histogram(&values), p), None, "{p}");
            let values: Vec<u64> = (1..=least).collect();
            assert!(block_quantile(&histogram(&values), p).is_some(), "{p}");
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_a_share_outside_of_0_to_1_is_none() {
        assert_eq!(block_quantile(&histogram(&[]), 0.5), None);
        for p in [0.0, 1.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(block_quantile(&histogram(&[1; 100]), p), None, "{p}");
        }
    }

    proptest! {
        #[test]
        fn it_lies_within_the_values_and_grows_with_p(
            values in prop::collection::vec(1_u64..1_000_000_000, 100..300),
            p in 0.01_f64..0.99,
            more in 0.0_f64..0.01,
        ) {
            let block = histogram(&values);
            let (lower, upper) = (block_quantile(&block, p).unwrap(), block_quantile(&block, (p + more).min(0.99)).unwrap());
            prop_assert!(lower <= upper);
            prop_assert!(lower >= block.min() as f64 * 0.999 && upper <= block.max() as f64);
        }
    }
}
