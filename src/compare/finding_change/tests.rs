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

/// The plans of a statement for typical values, and how long they took.
fn pair(statement: &str, before: Option<f64>, after: Option<f64>) -> PlanComparison {
    let plan = |execution_ms| PlanFigures { execution_ms, ..sample::plan(statement, true) };
    PlanComparison {
        statement: statement.into(),
        class: "typical".into(),
        before: Some(plan(before)),
        after: Some(plan(after)),
        changes: Vec::new(),
    }
}

/// What comes of findings before and after, where the plans are better.
fn judged(before: &[Finding], after: &[Finding]) -> (Outcome, Option<String>) {
    none_worse(&compared(|one, other| {
        for name in ["s", "t"] {
            one.plans.push(sample::plan(name, true));
            other.plans.push(sample::plan(name, false));
        }
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
    let executed = |name: &str| pair(name, Some(10.0), Some(10.0));
    let plans = [executed("s"), executed("t")];
    let changes = changes(Some(&before), Some(&after), &plans).unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.rule.as_str(), change.change)).collect();
    use FindingState::{Gone, Milder, New, Stays, Worse};
    assert_eq!(told, [("a", New), ("b", Worse), ("c", Stays), ("e", Milder), ("a", Gone)]);
    assert_eq!(super::changes(None, Some(&after), &plans), None);
    assert_eq!(super::changes(Some(&before), None, &plans), None);
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
            let hot = PlanFigures { class: "hot".into(), ..record.plans[0].clone() };
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
    assert!(not_examined.starts_with("the plans of the two phases were not both examined"), "{not_examined}");
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

#[test]
fn a_change_that_the_other_side_could_not_show_is_unknown() {
    use FindingState::{Gone, New, Stays, Unknown, Worse};
    use Severity::{Critical, Warning};
    let known = [finding("a", "s", Warning)];
    let worse = [finding("a", "s", Critical)];
    let of = |before: &[Finding], after: &[Finding], plans: &[PlanComparison]| {
        changes(Some(before), Some(after), plans).unwrap()[0].change
    };
    let executed = [pair("s", Some(1.0), Some(1.0))];
    let only_after = [pair("s", None, Some(1.0))];
    let only_before = [pair("s", Some(1.0), None)];
    let estimated = [pair("s", None, None)];
    for (before, after, told) in [(&[][..], &known[..], New), (&known, &worse, Worse)] {
        assert_eq!(of(before, after, &executed), told);
        assert_eq!(of(before, after, &only_after), Unknown);
        assert_eq!(of(before, after, &only_before), told);
        assert_eq!(of(before, after, &estimated), told);
        assert_eq!(of(before, after, &[PlanComparison { before: None, ..executed[0].clone() }]), Unknown);
        assert_eq!(of(before, after, &[PlanComparison { class: "hot".into(), ..executed[0].clone() }]), Unknown);
        let hot = Finding { classes: vec!["hot".into(), "typical".into()], ..after[0].clone() };
        let seen_for_one = [PlanComparison { class: "hot".into(), ..only_after[0].clone() }, executed[0].clone()];
        assert_eq!(of(before, &[hot], &seen_for_one), told);
    }
    assert_eq!((of(&known, &[], &only_before), of(&known, &[], &only_after)), (Unknown, Gone));
    assert_eq!(of(&known, &known, &only_before), Stays);
}

#[test]
fn what_was_not_executed_is_undecided_unless_it_is_worse() {
    let bare = |record: &mut Record| {
        record.findings = Some(Vec::new());
        let plan = &mut record.plans[0];
        plan.execution_ms = None;
        plan.note = Some("not executed: it takes more than 30 s".into());
    };
    let not_executed = |phase| {
        format!(
            "a regression may be missed: latest_of_user was not executed for typical values {phase} the fix (it takes more than 30 s)"
        )
    };
    assert_eq!(none_worse(&compared(|_, after| bare(after))), (Outcome::Undecided, Some(not_executed("after"))));
    // A finding after that may have been there before is no worse.
    let only_after = compared(|before, after| {
        bare(before);
        after.findings = Some(vec![finding("a", "latest_of_user", Severity::Critical)]);
    });
    assert_eq!(none_worse(&only_after), (Outcome::Undecided, Some(not_executed("before"))));
    // An index that is no longer used shows in the estimates.
    let turned = compared(|before, after| {
        std::mem::swap(&mut before.plans, &mut after.plans);
        bare(after);
        after.plans[0].nodes.iter_mut().for_each(|node| node.total_ms = None);
    });
    let (outcome, reason) = none_worse(&turned);
    assert_eq!(outcome, Outcome::Failed);
    assert!(reason.unwrap().contains("Index Scan became Seq Scan on events (critical)"));
    // Values that only one phase has a plan for.
    let other_class = compared(|_, after| {
        let hot = PlanFigures { class: "hot".into(), ..after.plans[0].clone() };
        after.plans.push(hot);
        let seen = finding("a", "latest_of_user", Severity::Warning);
        after.findings = Some(vec![Finding { classes: vec!["hot".into()], ..seen }]);
    });
    let (outcome, reason) = none_worse(&other_class);
    assert_eq!(outcome, Outcome::Undecided);
    assert!(reason.unwrap().starts_with("what became of the warning finding a of latest_of_user is unknown: "));
}
