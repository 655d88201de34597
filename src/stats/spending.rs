//! Looks at rounds that are still being measured.

use std::f64::consts::E;

/// Rounds before the first look, and the fewest for any claim.
const FIRST: u32 = 6;

/// Rounds between two looks.
const STEP: usize = 2;

/// After how many rounds the verdicts are looked at when there are `max` at most: 6, 8, 10 and so on, and `max`.
pub fn looks(max: u32) -> Vec<u32> {
    let mut looks: Vec<u32> = (FIRST..max).step_by(STEP).collect();
    looks.push(max);
    looks
}

/// Share of `alpha` that the look at `looks[look_index]` may use.
///
/// The increment at that look of the spending function `alpha ln(1 + (e - 1) t)` of Lan and DeMets 1983 (Discrete sequential
/// boundaries for clinical trials), t being the share of the greatest number of rounds. That paper derives bounds from the joint
/// distribution of the looks; here each look is tested at its own increment as if it were alone. By Boole's inequality the
/// probability that any of them is wrong is at most the sum of the increments, which is `alpha`, whatever the joint
/// distribution is.
///
/// 0 for an index beyond the last look.
pub fn alpha_of_look(look_index: usize, looks: &[u32], alpha: f64) -> f64 {
    let (Some(rounds), Some(max)) = (looks.get(look_index), looks.last()) else {
        return 0.0;
    };
    let spent = |rounds: u32| alpha * ((E - 1.0) * f64::from(rounds) / f64::from(*max)).ln_1p();
    spent(*rounds) - look_index.checked_sub(1).map_or(0.0, |last| spent(looks[last]))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(20, &[6, 8, 10, 12, 14, 16, 18, 20])]
    #[case(9, &[6, 8, 9])]
    #[case(6, &[6])]
    #[case(3, &[3])]
    fn looks_end_with_the_last_round(#[case] max: u32, #[case] expected: &[u32]) {
        assert_eq!(looks(max), expected);
    }

    #[rstest]
    #[case(6)]
    #[case(7)]
    #[case(20)]
    #[case(101)]
    fn the_looks_together_use_all_of_alpha(#[case] max: u32) {
        let looks = looks(max);
        let shares: Vec<f64> = (0..looks.len()).map(|look| alpha_of_look(look, &looks, 0.05)).collect();
        assert!(shares.iter().all(|share| *share > 0.0), "{shares:?}");
        assert!((shares.iter().sum::<f64>() - 0.05).abs() < 1e-12);
        assert_eq!(alpha_of_look(looks.len(), &looks, 0.05), 0.0);
    }

    #[test]
    fn no_look_has_no_alpha() {
        assert_eq!(alpha_of_look(0, &[], 0.05), 0.0);
    }
}
