//! An effect with its interval, from values of which each stands for a block or a round.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// An effect on the scale of natural logarithms: `effect.exp()` is the ratio of after to before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// ln of the ratio.
    pub effect: f64,
    /// Lower end of the interval, ln of a ratio.
    pub low: f64,
    /// Upper end of the interval, ln of a ratio.
    pub high: f64,
    /// Confidence of the interval, between 0 and 1.
    pub confidence: f64,
    /// Standard deviation of what is counted in `n`; of one value of each side where the sides are not paired.
    pub sd: f64,
    /// Rounds; blocks or slices of both sides where they are not paired.
    pub n: usize,
}

/// Mean effect of rounds with Student's t interval `mean +- t_(n-1) s / sqrt(n)` (Student 1908, The probable error of a mean).
///
/// `effects` are the rounds' `ln(after / before)`. Rounds without any variance have an interval of zero width. `None` for fewer
/// than two rounds, for a value that is not finite and for a confidence outside of 0 to 1.
pub fn t_interval(effects: &[f64], confidence: f64) -> Option<Estimate> {
    let Moments { mean, variance, n } = moments(effects)?;
    estimate(mean, (variance / n as f64).sqrt(), (n - 1) as f64, confidence, variance.sqrt(), n)
}

/// Difference of the means of blocks that are not paired, with the interval of Welch 1947 (The generalization of Student's
/// problem when several different population variances are involved): `+- t_v sqrt(s1^2 / n1 + s2^2 / n2)`, v by
/// Satterthwaite 1946.
///
/// `before` and `after` are ln of the blocks' values; they must be independent, which successive blocks of a machine that
/// drifts are not. `None` as for [`t_interval`].
pub fn welch_interval(before: &[f64], after: &[f64], confidence: f64) -> Option<Estimate> {
    let (from, to) = (moments(before)?, moments(after)?);
    let (error_from, error_to) = (from.variance / from.n as f64, to.variance / to.n as f64);
    let freedom = satterthwaite((error_from, (from.n - 1) as f64), (error_to, (to.n - 1) as f64));
    estimate(
        to.mean - from.mean,
        (error_from + error_to).sqrt(),
        freedom,
        confidence,
        (from.variance + to.variance).sqrt(),
        from.n + to.n,
    )
}

/// `effect +- t_freedom error`, if all of it is finite.
pub(super) fn estimate(effect: f64, error: f64, freedom: f64, confidence: f64, sd: f64, n: usize) -> Option<Estimate> {
    let half = if error == 0.0 { 0.0 } else { t_quantile(freedom, confidence)? * error };
    let inside = confidence > 0.0 && confidence < 1.0;
    (inside && effect.is_finite() && half.is_finite() && sd.is_finite()).then_some(Estimate {
        effect,
        low: effect - half,
        high: effect + half,
        confidence,
        sd,
        n,
    })
}

/// Degrees of freedom of the sum of two variances of estimates, each with its own degrees of freedom.
pub(super) fn satterthwaite((a, freedom_a): (f64, f64), (b, freedom_b): (f64, f64)) -> f64 {
    // By the greater of the two, so that squares neither overflow nor vanish.
    let scale = a.max(b);
    if scale == 0.0 {
        return freedom_a.min(freedom_b);
    }
    let (a, b) = (a / scale, b / scale);
    (a + b).powi(2) / (a * a / freedom_a + b * b / freedom_b)
}

/// The t that `confidence` of Student's distribution lies within, on both sides of 0.
fn t_quantile(freedom: f64, confidence: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    (confidence > 0.0 && confidence < 1.0).then(|| distribution.inverse_cdf(0.5 + confidence / 2.0))
}

pub(super) struct Moments {
    pub(super) mean: f64,
    /// With the divisor n - 1.
    pub(super) variance: f64,
    pub(super) n: usize,
}

/// Of at least two finite values.
pub(super) fn moments(values: &[f64]) -> Option<Moments> {
    let n = values.len();
    if n < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    // From the first value, so that equal values have no variance by rounding.
    let first = values[0];
    let offset = values.iter().map(|value| value - first).sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - first - offset).powi(2)).sum();
    Some(Moments { mean: first + offset, variance: squares / (n - 1) as f64, n })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rounds_that_agree_have_an_interval_of_zero_width() {
        let same = t_interval(&[0.1; 6], 0.95).unwrap();
        assert_eq!((same.effect, same.low, same.high, same.sd, same.n), (0.1, 0.1, 0.1, 0.0, 6));
        let welch = welch_interval(&[0.1; 3], &[0.4; 4], 0.95).unwrap();
        assert!((welch.low - 0.3).abs() < 1e-15 && welch.low == welch.high && welch.n == 7);
    }

    #[test]
    fn too_few_values_or_none_that_count_have_no_interval() {
        assert_eq!(t_interval(&[], 0.95), None);
        assert_eq!(t_interval(&[1.0], 0.95), None);
        assert_eq!(t_interval(&[1.0, f64::NAN], 0.95), None);
        assert_eq!(t_interval(&[1.0, f64::INFINITY], 0.95), None);
        assert_eq!(t_interval(&[1e308, -1e308], 0.95), None, "the variance overflows");
        assert_eq!(welch_interval(&[1.0, 2.0], &[1.0], 0.95), None);
        for confidence in [0.0, 1.0, -0.5, 1.5, f64::NAN] {
            assert_eq!(t_interval(&[1.0, 2.0], confidence), None, "{confidence}");
            assert_eq!(t_interval(&[1.0, 1.0], confidence), None, "{confidence}");
        }
    }

    #[test]
    fn one_side_without_variance_leaves_the_freedom_of_the_other() {
        let welch = welch_interval(&[0.0; 4], &[1.0, 2.0, 3.0], 0.95).unwrap();
        let alone = t_interval(&[1.0, 2.0, 3.0], 0.95).unwrap();
        assert!((welch.low - alone.low).abs() < 1e-12 && (welch.high - alone.high).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(
            before in prop::collection::vec(prop::num::f64::ANY, 0..8),
            after in prop::collection::vec(prop::num::f64::ANY, 0..8),
            confidence in prop::num::f64::ANY,
        ) {
            for confidence in [confidence, 0.95] {
                t_interval(&after, confidence);
                welch_interval(&before, &after, confidence);
            }
        }

        #[test]
        fn a_higher_confidence_gives_an_interval_around_the_lower_one(
            effects in prop::collection::vec(-1.0..1.0, 2..12),
            confidence in 0.5..0.99,
            more in 0.0..0.009,
        ) {
            let (inner, outer) = (t_interval(&effects, confidence).unwrap(), t_interval(&effects, confidence + more).unwrap());
            prop_assert!(outer.low <= inner.low + 1e-9 && inner.high <= outer.high + 1e-9);
            prop_assert!(inner.low <= inner.effect && inner.effect <= inner.high);
        }
    }
}
