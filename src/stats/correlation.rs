//! What a series that remembers does to the error of its mean.

/// Correlation of a value with the next one, 0 to .99, of at least two values of a first-order autoregression on which there may be
/// noise of each value.
///
/// Noise lowers all correlations alike, so that those at a distance say more than the first one: of `r_1` and the `r_k^(1/k)` of the
/// distances in a row at which the correlation is significant (above `2 / sqrt(n)`, up to n / 6) it is the greatest. The estimate of a
/// short series is too low by about `(1 + 3 r) / n` (Kendall 1954, Note on bias in the estimation of autocorrelation; Marriott and
/// Pope 1954), which is added.
pub(super) fn correlation(series: &[f64]) -> f64 {
    let n = series.len();
    let covariances = autocovariances(series, (n / 6).max(3).min(n - 1));
    let variance = covariances[0];
    if variance.is_nan() || variance <= 0.0 {
        return 0.0;
    }
    let correlations = covariances.iter().map(|covariance| covariance / variance).enumerate().skip(1);
    let significant = correlations.take_while(|(_, correlation)| *correlation > 2.0 / (n as f64).sqrt());
    let first = covariances[1] / variance;
    let estimate = significant.map(|(k, correlation)| correlation.powf(1.0 / k as f64)).fold(first, f64::max);
    (estimate + (1.0 + 3.0 * estimate) / n as f64).clamp(0.0, 0.99)
}

/// Autocovariances of the distances 0 to `greatest`, with the divisor n.
pub(super) fn autocovariances(series: &[f64], greatest: usize) -> Vec<f64> {
    let n = series.len() as f64;
    let mean = series.iter().sum::<f64>() / n;
    let product = |lag: usize| series.iter().zip(&series[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    (0..=greatest).map(|lag| product(lag) / n).collect()
}

/// By how much the variance of a mean of `n` values is greater than a circular bootstrap in blocks of `length` expects it, if each
/// value depends on the one before by `correlation`; at least 1.
///
/// With v(m), the variance of the mean of m successive values, the bootstrap expects `length / n (v(length) - v(n))`: it does not see
/// what joins the blocks, and measures from the mean of the same values. Without correlation this is `1 / (1 - length / n)`.
pub(super) fn bootstrap_deficit(correlation: f64, length: usize, n: usize) -> f64 {
    let (length, n) = (length as f64, n as f64);
    let expected = length / n * (variance_of_mean(correlation, length) - variance_of_mean(correlation, n));
    (variance_of_mean(correlation, n) / expected).max(1.0)
}

/// Variance of the mean of `m` successive values of variance 1 of a first-order autoregression.
fn variance_of_mean(correlation: f64, m: f64) -> f64 {
    let rest = 1.0 - correlation;
    ((1.0 + correlation) / rest - 2.0 * correlation * (1.0 - correlation.powf(m)) / (m * rest * rest)) / m
}

/// How many independent values tell as much of the mean as `n` of this correlation.
pub(super) fn independent_values(correlation: f64, n: usize) -> f64 {
    n as f64 * (1.0 - correlation) / (1.0 + correlation)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    #[test]
    fn the_variance_of_a_mean_is_the_sum_of_the_covariances() {
        for correlation in [0.0_f64, 0.3, 0.9] {
            for m in [1, 2, 7, 50] {
                let covariances = (0..m).flat_map(|i| (0..m).map(move |j: i32| correlation.powi(j.abs_diff(i) as i32)));
                let expected = covariances.sum::<f64>() / f64::from(m * m);
                assert!((variance_of_mean(correlation, f64::from(m)) - expected).abs() < 1e-12, "{correlation} {m}");
            }
        }
    }

    #[test]
    fn independent_values_have_the_deficit_of_their_mean_alone() {
        assert!((bootstrap_deficit(0.0, 4, 40) - 1.0 / 0.9).abs() < 1e-12);
        assert!(bootstrap_deficit(0.8, 4, 40) > 2.0);
        assert!(bootstrap_deficit(0.8, 100, 10_000) < 1.1);
        assert_eq!(independent_values(0.0, 30), 30.0);
        assert!((independent_values(0.5, 30) - 10.0).abs() < 1e-12);
    }

    #[test]
    fn the_correlation_of_alternating_and_of_equal_values_is_not_negative() {
        let alternating: Vec<f64> = (0..20).map(|i| f64::from(i % 2)).collect();
        assert_eq!(correlation(&alternating), 0.0);
        assert_eq!(correlation(&[3.0; 20]), 0.0);
        assert_eq!(correlation(&[f64::NAN; 20]), 0.0);
        let rising: Vec<f64> = (0..20).map(f64::from).collect();
        assert!(correlation(&rising) > 0.9);
    }

    #[test]
    fn noise_does_not_hide_what_the_series_remembers() {
        // Steps of ten values, and as much noise again: the first correlation is about .45.
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut noise = || if random.random() { 1.0 } else { -1.0 };
        let mut step = 0.0;
        let series: Vec<f64> = (0..600)
            .map(|i| {
                if i % 10 == 0 {
                    step = noise();
                }
                step + noise()
            })
            .collect();
        let found = correlation(&series);
        assert!((0.65..0.9).contains(&found), "{found}");
    }
}
