//! Which percentiles a number of samples supports.

use hdrhistogram::Histogram;

/// Confidence of the one-sided upper bound that a percentile must have before it is shown.
pub const CONFIDENCE: f64 = 0.95;

/// Least number of samples that give the `p` quantile (0 < p < 1) a one-sided upper bound at [`CONFIDENCE`]:
/// `n = ceil(ln(1 - CONFIDENCE) / ln p)`.
///
/// The greatest of n independent samples lies below the p quantile with probability `p^n`, so it bounds the quantile from
/// above with confidence `1 - p^n` (Wilks 1941, Determination of sample sizes for setting tolerance limits). Below this n
/// no order statistic does.
pub fn samples_needed(p: f64) -> u64 {
    ((1.0 - CONFIDENCE).ln() / p.ln()).ceil() as u64
}

/// The `p` quantile (0 < p < 1) in the histogram's unit, or `None` where the samples do not support it.
pub fn percentile(histogram: &Histogram<u64>, p: f64) -> Option<u64> {
    (histogram.len() >= samples_needed(p)).then(|| histogram.value_at_quantile(p))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0.5, 5)]
    #[case(0.9, 29)]
    #[case(0.95, 59)]
    #[case(0.99, 299)]
    #[case(0.999, 2995)]
    fn needs_the_tabulated_number_of_samples(#[case] p: f64, #[case] needed: u64) {
        assert_eq!(samples_needed(p), needed);
        let exponent = i32::try_from(needed).unwrap();
        assert!(p.powi(exponent) <= 0.05, "{needed} samples give the bound");
        assert!(p.powi(exponent - 1) > 0.05, "one less does not");
    }

    #[test]
    fn a_percentile_appears_with_the_sample_that_supports_it() {
        let mut histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).unwrap();
        for value in 1..=298 {
            histogram.record(value).unwrap();
        }
        assert_eq!(percentile(&histogram, 0.99), None);
        assert_eq!(percentile(&histogram, 0.95), Some(284));
        histogram.record(299).unwrap();
        assert_eq!(percentile(&histogram, 0.99), Some(297));
    }

    #[test]
    fn an_empty_histogram_supports_nothing() {
        assert_eq!(percentile(&Histogram::new(3).unwrap(), 0.5), None);
    }
}
