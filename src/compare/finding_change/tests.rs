use super::*;
use crate::{
    compare::{Measured, Options, compare},
    record::{Found, Phase, Record, sample},
};

fn finding(rule: &str, statement: &str, severity: Severity) -> Finding {
    let known = sample::record(Phase::Before).findings.unwrap().remove(0);
    Finding { rule: rule.into(), statement: Some(statement.into()), severity, ..known }
}

fn compared(change: impl Fn(&mut Record, &mut Record)) -> Comparison {
    let (mut before, mut after) = (sample::record(Phase::Before), sample::record(Phase::After));
    change(&mut before, &mut after);
    let [before, after] = [before, after].map(|record| Found { folder: "f".into(), record });
    let measured = |found| Measured { found, blocks: &[] };
    compare(measured(&before), measured(&after), &Options::default()).unwrap()
}

/// What comes of findings before and after, where the plans are better.
fn judged(before: &[Finding], after: &[Finding]) -> (Outcome, Option<String>) {
    none_worse(&compared(|one, other| {
        (one.findings, other.findings) = (Some(before.to_vec()), Some(after.to_vec()));
    }))
}

#[test]
fn what_became_of_findings_is_told_the_worst_first() {
    use Severity::{Critical, Info, Warning};
    let before =
        [finding("a", "s", Critical), finding("b", "s", Info), finding("c", "s", Warning), finding("e", "s", Warning)];
    let after =
        [finding("c", "s", Warning), finding("b", "s", Warning), finding("a", "t", Warning), finding("e", "s", Info)];
    let changes = changes(Some(&before), Some(&after)).unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.rule.as_str(), change.change)).collect();
    use FindingState::{Gone, Milder, New, Stays, Worse};
    assert_eq!(told, [("a", New), ("b", Worse), ("c", Stays), ("e", Milder), ("a", Gone)]);
    assert_eq!(super::changes(None, Some(&after)), None);
    assert_eq!(super::changes(Some(&before), None), None);
}

#[test]
fn a_new_or_more_severe_finding_fails_and_one_that_is_good_to_know_does_not() {
    use Severity::{Critical, Info, Warning};
    let (passed, failed) = ((Outcome::Passed, None), Outcome::Failed);
    assert_eq!(judged(&[finding("a", "s", Critical)], &[]), passed);
    assert_eq!(judged(&[finding("a", "s", Warning)], &[finding("a", "s", Warning)]), passed);
    assert_eq!(judged(&[], &[finding("a", "s", Info)]), passed);
    assert_eq!(judged(&[finding("a", "s", Warning)], &[finding("a", "s", Info), finding("b", "s", Info)]), passed);
    let new = judged(&[finding("a", "s", Warning)], &[finding("a", "t", Warning)]);
    assert_eq!(new.0, failed);
    assert!(new.1.unwrap().starts_with("new warning finding a of t: Seq Scan on events read "));
    let worse = judged(&[finding("a", "s", Info)], &[finding("a", "s", Info), finding("a", "s", Critical)]);
    assert_eq!(worse.0, failed);
    assert!(worse.1.unwrap().starts_with("finding a of s is critical, was info: "));
    let many: Vec<Finding> = ["a", "b", "c", "d", "e"].map(|rule| finding(rule, "s", Warning)).to_vec();
    assert!(judged(&[], &many).1.unwrap().ends_with("; and 2 more"));
}

#[test]
fn a_plan_for_the_worse_fails_without_a_finding() {
    let turned = compared(|before, after| {
        std::mem::swap(&mut before.plans, &mut after.plans);
        for record in [before, after] {
            let hot = crate::record::PlanFigures { class: "hot".into(), ..record.plans[0].clone() };
            record.plans.push(hot);
            record.findings = Some(Vec::new());
        }
    });
    let reason = "plan of latest_of_user for typical, hot values: Index Scan became Seq Scan on events (critical)";
    assert_eq!(none_worse(&turned), (Outcome::Failed, Some(reason.into())));
}

#[test]
fn what_was_not_examined_or_not_captured_is_undecided() {
    let undecided = |comparison: &Comparison| {
        let (outcome, reason) = none_worse(comparison);
        assert_eq!(outcome, Outcome::Undecided);
        reason.unwrap()
    };
    let not_examined = undecided(&compared(|before, _| before.findings = None));
    assert!(not_examined.starts_with("the plans of both phases were not examined"), "{not_examined}");
    let lacking = "there is no plan of latest_of_user on both sides to compare; measure both phases again";
    assert_eq!(undecided(&compared(|_, after| after.plans.clear())), lacking);
    assert_eq!(undecided(&compared(|before, _| before.plans[0].nodes.clear())), lacking);
    assert_eq!(
        undecided(&compared(|before, after| {
            before.plans.clear();
            after.plans.clear();
        })),
        lacking
    );
    assert_eq!(none_worse(&compared(|_, _| ())), (Outcome::Passed, None));
}
