//! Several claims at once.

/// Where a member of the family ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Confidence at which it was decided, or at which it was not.
    pub confidence: f64,
    /// Whether it was decided.
    pub decided: bool,
}

/// Decides a family of `members` claims so that the probability of one wrong claim or more is at most `alpha`.
///
/// `decided(member, confidence)` tells whether the member's interval at that confidence makes a claim; a higher confidence
/// must not decide what a lower one leaves open, as holds for nested intervals. With i members decided the others are tried at
/// confidence `1 - alpha / (members - i)`, until none of them is decided. An interval decides at confidence 1 - a exactly if its
/// p-value is at most a, so this is the step-down procedure of Holm 1979 (A simple sequentially rejective multiple test
/// procedure), which needs no independence of the members.
///
/// What is decided in one step has that step's confidence; what never is has that of the last one.
pub fn step_down(members: usize, alpha: f64, mut decided: impl FnMut(usize, f64) -> bool) -> Vec<Step> {
    let mut steps = vec![Step { confidence: 1.0 - alpha, decided: false }; members];
    loop {
        let left = steps.iter().filter(|step| !step.decided).count();
        if left == 0 {
            return steps;
        }
        let confidence = 1.0 - alpha / left as f64;
        let mut any = false;
        for (member, step) in steps.iter_mut().enumerate().filter(|(_, step)| !step.decided) {
            *step = Step { confidence, decided: decided(member, confidence) };
            any |= step.decided;
        }
        if !any {
            return steps;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_p_values(p: &[f64], alpha: f64) -> Vec<Step> {
        step_down(p.len(), alpha, |member, confidence| p[member] <= 1.0 - confidence)
    }

    #[test]
    fn a_decided_member_makes_it_easier_for_the_others() {
        let steps = by_p_values(&[0.04, 0.001, 0.02, 0.9], 0.05);
        let shown: Vec<_> = steps.iter().map(|step| (format!("{:.4}", step.confidence), step.decided)).collect();
        let last = |decided| ("0.9833".to_owned(), decided);
        assert_eq!(shown, [last(false), ("0.9875".to_owned(), true), last(false), last(false)]);
    }

    #[test]
    fn one_member_alone_has_all_of_alpha_and_none_none() {
        assert_eq!(by_p_values(&[0.04], 0.05), [Step { confidence: 0.95, decided: true }]);
        assert_eq!(by_p_values(&[0.06], 0.05), [Step { confidence: 0.95, decided: false }]);
        assert_eq!(by_p_values(&[], 0.05), []);
    }

    proptest! {
        #[test]
        fn it_rejects_what_holm_rejects(p in prop::collection::vec(0.0_f64..0.1, 0..8)) {
            let mut order: Vec<usize> = (0..p.len()).collect();
            order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
            let rejected = order.iter().enumerate().take_while(|(i, member)| p[**member] <= 0.05 / (p.len() - i) as f64);
            let mut expected = vec![false; p.len()];
            rejected.for_each(|(_, member)| expected[*member] = true);
            let decided: Vec<bool> = by_p_values(&p, 0.05).iter().map(|step| step.decided).collect();
            prop_assert_eq!(decided, expected);
        }
    }
}
