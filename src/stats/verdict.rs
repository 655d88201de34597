//! What an interval says of a ratio.

use super::{bootstrap::bootstrap_interval, estimate::t_interval};

/// Rounds that a claim needs: a sign test over six gives a two-sided p of 2 / 2^6 = .031.
pub const ROUNDS_NEEDED: usize = 6;

/// What an interval claims of the ratio of after to before, on the scale of natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// The value after is lower, by more than the tolerance.
    Lower,
    /// The value after is higher, by more than the tolerance.
    Higher,
    /// The values are the same within the tolerance.
    Within,
    /// None of these.
    Unclear,
}

/// The claim of the interval `low..high` of ln(after / before), with a tolerance such as 0.02 for 2 %.
///
/// The interval has to lie as a whole below `-ln(1 + tolerance)`, above `ln(1 + tolerance)` or between the two, ends
/// included: on the scale of logarithms 2 % slower and back again is the same. A claim is wrong only if the interval misses
/// the truth, so wrong claims are no more frequent than intervals that miss. [`Claim::Within`] is the test of equivalence by
/// inclusion of the interval (Schuirmann 1987), here with twice the confidence that it asks for.
pub fn claim(low: f64, high: f64, tolerance: f64) -> Claim {
    let bound = tolerance.ln_1p();
    if !(low <= high && bound >= 0.0) {
        Claim::Unclear
    } else if high < -bound {
        Claim::Lower
    } else if low > bound {
        Claim::Higher
    } else if low >= -bound && high <= bound {
        Claim::Within
    } else {
        Claim::Unclear
    }
}

/// The claim of rounds, of which `effects` has each one's ln(after / before): that of Student's t interval at `confidence`, if
/// there are enough rounds and the interval by resampling them (from `seed`) makes the same.
pub fn claim_of_rounds(effects: &[f64], confidence: f64, tolerance: f64, seed: u64) -> Claim {
    let by_t = match t_interval(effects, confidence) {
        Some(estimate) if effects.len() >= ROUNDS_NEEDED => claim(estimate.low, estimate.high, tolerance),
        _ => Claim::Unclear,
    };
    if by_t == Claim::Unclear {
        return Claim::Unclear;
    }
    match bootstrap_interval(effects, confidence, seed) {
        Some((low, high)) if claim(low, high, tolerance) == by_t => by_t,
        _ => Claim::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(-0.5, -0.02, Claim::Lower)]
    #[case(-0.5, -0.0198, Claim::Unclear)]
    #[case(0.02, 0.5, Claim::Higher)]
    #[case(0.0198, 0.5, Claim::Unclear)]
    #[case(-0.0198, 0.0198, Claim::Within)]
    #[case(0.0, 0.0, Claim::Within)]
    #[case(-0.5, 0.5, Claim::Unclear)]
    #[case(f64::NEG_INFINITY, f64::INFINITY, Claim::Unclear)]
    #[case(f64::NAN, 0.5, Claim::Unclear)]
    #[case(0.5, f64::NAN, Claim::Unclear)]
    #[case(0.5, 0.2, Claim::Unclear)]
    fn the_whole_interval_decides(#[case] low: f64, #[case] high: f64, #[case] expected: Claim) {
        assert_eq!(claim(low, high, 0.02), expected);
    }

    #[test]
    fn without_tolerance_any_side_of_zero_is_a_difference() {
        assert_eq!(claim(-0.2, -1e-9, 0.0), Claim::Lower);
        assert_eq!(claim(0.0, 0.0, 0.0), Claim::Within);
        assert_eq!(claim(0.1, 0.2, -2.0), Claim::Unclear);
    }

    #[test]
    fn rounds_claim_what_both_intervals_say_and_five_claim_nothing() {
        let slower = [0.10, 0.12, 0.11, 0.13, 0.12, 0.11];
        assert_eq!(claim_of_rounds(&slower, 0.95, 0.02, 1), Claim::Higher);
        assert_eq!(claim_of_rounds(&slower[..5], 0.95, 0.02, 1), Claim::Unclear);
        assert_eq!(claim_of_rounds(&[0.001; 6], 0.95, 0.02, 1), Claim::Within);
        assert_eq!(claim_of_rounds(&[0.5, -0.5, 0.5, -0.5, 0.5, -0.5], 0.95, 0.02, 1), Claim::Unclear);
        // At a low confidence the t interval lies above 2 %, but resamples often miss the one round that carries it.
        let one = [0.0, 0.0, 0.0, 0.0, 0.0, 0.6];
        assert!(t_interval(&one, 0.5).unwrap().low > 0.02);
        assert_eq!(claim_of_rounds(&one, 0.5, 0.02, 1), Claim::Unclear);
    }
}
