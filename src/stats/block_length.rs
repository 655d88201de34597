//! How long the blocks of a block bootstrap have to be.

use super::correlation::autocovariances;

/// Length of the blocks for the circular block bootstrap of a series of at least two values.
///
/// The automatic choice of Politis and White 2004 (Automatic block-length selection for the dependent bootstrap) as corrected by
/// Patton, Politis and White 2009: with the autocovariances R(k) weighted by the flat-top window l (1 up to 1/2, then falling
/// straight to 0 at 1) over twice the lag beyond which the correlations are insignificant, `g = sum l R(k)`,
/// `G = sum l |k| R(k)`, the length is `(2 G^2 / (4/3 g^2))^(1/3) n^(1/3)`. It is at least the n^(1/3) that Künsch 1989 gives as the
/// order of magnitude, so that a series whose dependence the estimate overlooks is not taken for independent, and at most n / 4, so
/// that four blocks are left to vary.
pub(super) fn block_length(series: &[f64]) -> usize {
    let n = series.len() as f64;
    let least = n.cbrt().ceil();
    let most = (n / 4.0).floor().max(1.0);
    let chosen = optimal(series).filter(|length| length.is_finite()).unwrap_or(least);
    chosen.ceil().max(least).min(most) as usize
}

fn optimal(series: &[f64]) -> Option<f64> {
    let n = series.len();
    // Lags in a row that have to be insignificant, and the greatest lag that is looked at.
    let run = 5.max((n as f64).log10().sqrt().ceil() as usize);
    let greatest = ((n as f64).sqrt().ceil() as usize + run).min(n.saturating_sub(1));
    let covariances = autocovariances(series, greatest);
    let variance = *covariances.first().filter(|variance| **variance > 0.0)?;
    let bound = 2.0 * ((n as f64).log10() / n as f64).sqrt();
    let significant = |lag: &usize| (covariances[*lag] / variance).abs() >= bound;
    let last = (0..=greatest)
        .find(|last| (last + 1..=(last + run).min(greatest)).all(|lag| !significant(&lag)))
        .unwrap_or(greatest);
    let window = (2 * last.max(1)).min(greatest);
    let (mut spectrum, mut slope) = (covariances[0], 0.0);
    for (lag, covariance) in covariances.iter().enumerate().take(window + 1).skip(1) {
        let at = lag as f64 / window as f64;
        let weight = if at <= 0.5 { 1.0 } else { 2.0 * (1.0 - at) };
        spectrum += 2.0 * weight * covariance;
        slope += 2.0 * weight * lag as f64 * covariance;
    }
    Some((1.5 * (slope / spectrum).powi(2)).cbrt() * (n as f64).cbrt())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    /// `x_t = correlation x_(t-1) + noise`.
    fn series(n: usize, correlation: f64, seed: u64) -> Vec<f64> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut last = 0.0;
        let mut next = || {
            last = correlation * last + (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            last
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn a_series_that_remembers_longer_has_longer_blocks() {
        let mean = |correlation| (0..50).map(|seed| block_length(&series(600, correlation, seed))).sum::<usize>() / 50;
        let (independent, some, much) = (mean(0.0), mean(0.5), mean(0.9));
        assert!(independent <= 10, "{independent}");
        assert!(independent < some && some < much, "{independent} {some} {much}");
        // The best for 600 values at .5: (2 (2 r / (1 - r^2))^2 / (4/3))^(1/3) 600^(1/3) = 11.7.
        assert!((9..=16).contains(&some), "{some}");
    }

    #[test]
    fn it_stays_within_the_cube_root_and_a_quarter() {
        for n in 4..80 {
            for correlation in [0.0, 0.99] {
                let length = block_length(&series(n, correlation, 1));
                assert!(length >= 1 && length <= (n / 4).max(1), "{length} of {n}");
            }
        }
        assert_eq!(block_length(&[1.0; 64]), 4);
        assert_eq!(block_length(&[f64::NAN; 64]), 4);
    }
}
