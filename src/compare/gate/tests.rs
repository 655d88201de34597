use proptest::prelude::*;

use super::*;
use crate::{
    compare::{Measured, Options, compare},
    record::{Found, Phase, sample},
};

const ALPHA: f64 = 0.05;

fn comparison() -> Comparison {
    let found = |phase| Found { folder: "f".into(), record: sample::record(phase) };
    let (before, after) = (found(Phase::Before), found(Phase::After));
    let measured = |found| Measured { found, blocks: &[] };
    compare(measured(&before), measured(&after), &Options::default()).unwrap()
}

fn ratio(metric: MetricName, statement: Option<&str>, bound: Bound, limit: f64) -> Condition {
    let statement = statement.map(str::to_owned);
    Condition { expression: "it".into(), requirement: Requirement::Ratio { metric, statement, bound, limit } }
}

fn plain(requirement: Requirement) -> Condition {
    Condition { expression: "it".into(), requirement }
}

fn ends(low: f64, high: f64) -> Result<Interval, String> {
    Ok(Interval { ratio: (low * high).sqrt(), low, high })
}

/// What comes of one condition where every interval is this.
fn one(condition: Condition, comparison: &Comparison, interval: Result<Interval, String>) -> Gate {
    judge(&[condition], comparison, ALPHA, |_, _| interval.clone()).remove(0)
}

/// What comes of `p99 after / before at most 0.5`.
fn judged(interval: Result<Interval, String>) -> Gate {
    one(ratio(MetricName::P99, None, Bound::AtMost, 0.5), &comparison(), interval)
}

#[test]
fn only_a_whole_interval_decides() {
    let passed = judged(ends(0.4, 0.5));
    assert_eq!((passed.outcome, passed.reason, passed.kind), (Outcome::Passed, None, GateKind::Change));
    assert_eq!((passed.ci_low, passed.ci_high, passed.confidence), (Some(0.4), Some(0.5), Some(0.95)));
    assert_eq!((passed.before, passed.after, passed.unit), (Some(307.2), Some(0.399), Some(ThresholdUnit::Ms)));
    assert_eq!(judged(ends(0.501, 0.6)).outcome, Outcome::Failed);
    let open = judged(ends(0.4, 0.51));
    assert_eq!((open.outcome, open.reason.as_deref()), (Outcome::Undecided, Some(BOTH_SIDES)));
    assert_eq!(open.ci_high, Some(0.51));
}

#[test]
fn several_gates_share_the_error_rate() {
    // Wider with more confidence: decided at 97.5 % and below, at 95 % and below, never.
    let interval = |metric: &Metric, confidence: f64| match metric.name {
        MetricName::P50 => ends(0.3, 0.3 + 8.0 * (confidence - 0.96)),
        MetricName::P95 => ends(0.3, 0.3 + 16.0 * (confidence - 0.94)),
        _ => ends(0.3, 0.9),
    };
    let at_most = |name| ratio(name, None, Bound::AtMost, 0.5);
    let gates = |names: &[MetricName]| {
        let conditions: Vec<Condition> = names.iter().copied().map(at_most).collect();
        let gates = judge(&conditions, &comparison(), ALPHA, interval);
        gates.iter().map(|gate| (gate.outcome, gate.confidence.unwrap())).collect::<Vec<_>>()
    };
    let (passed, open) = (Outcome::Passed, Outcome::Undecided);
    assert_eq!(gates(&[MetricName::P95]), [(passed, 0.95)]);
    assert_eq!(gates(&[MetricName::P50, MetricName::P95]), [(passed, 0.975), (passed, 0.95)]);
    assert_eq!(gates(&[MetricName::P95, MetricName::P99]), [(open, 0.975), (open, 0.975)]);
    // Several gates on one metric share its interval.
    assert_eq!(gates(&[MetricName::P95, MetricName::P95]), [(passed, 0.95), (passed, 0.95)]);
}

#[test]
fn what_is_missing_never_passes() {
    let once = judged(Err("there are no rounds".into()));
    assert_eq!((once.outcome, once.reason.as_deref()), (Outcome::Undecided, Some("there are no rounds")));
    assert_eq!((once.ratio, once.ci_low, once.confidence), (Some(0.399 / 307.2), None, None));
    let mut comparison = comparison();
    let condition = || ratio(MetricName::P99, None, Bound::Below, 1e9);
    let p99 = comparison.metrics.iter_mut().find(|metric| metric.name == MetricName::P99).unwrap();
    (p99.before, p99.before_samples) = (None, 17);
    let reason = one(condition(), &comparison, ends(0.1, 0.2)).reason.unwrap();
    assert!(reason.starts_with("needs 299 samples a side; there are 17 before and "), "{reason}");
    comparison.metrics.clear();
    let none = one(condition(), &comparison, ends(0.1, 0.2));
    assert_eq!(none.reason.unwrap(), "the comparison has no such metric");
    let other = one(ratio(MetricName::P50, Some("other"), Bound::Below, 1e9), &comparison, ends(0.1, 0.2));
    assert_eq!(other.outcome, Outcome::Undecided);
    let findings = |comparison: &Comparison| one(plain(Requirement::FindingsNoneWorse), comparison, ends(0.1, 0.2));
    assert_eq!((findings(&comparison).outcome, findings(&comparison).kind), (Outcome::Passed, GateKind::Findings));
    comparison.findings = None;
    let not_examined = findings(&comparison);
    assert_eq!(not_examined.outcome, Outcome::Undecided);
    assert!(not_examined.reason.unwrap().starts_with("the plans of the two phases were not both examined"));
}

#[test]
fn a_gate_on_an_operation_takes_its_own_figures() {
    let comparison = comparison();
    let name = comparison.statements[0].name.clone();
    let conditions = [None, Some(name.as_str())].map(|of| ratio(MetricName::Throughput, of, Bound::AtLeast, 0.1));
    let gates = judge(&conditions, &comparison, ALPHA, |metric, _| match metric.statement {
        Some(_) => ends(0.1, 0.2),
        None => ends(0.05, 0.09),
    });
    assert_eq!([gates[0].outcome, gates[1].outcome], [Outcome::Failed, Outcome::Passed]);
}

#[test]
fn identical_results_are_yes_no_or_not_known() {
    let mut comparison = comparison();
    let mut outcome = |identical| {
        comparison.results_identical = identical;
        one(plain(Requirement::ResultsIdentical), &comparison, ends(1.0, 1.0)).outcome
    };
    assert_eq!(
        (outcome(Some(true)), outcome(Some(false)), outcome(None)),
        (Outcome::Passed, Outcome::Failed, Outcome::Undecided)
    );
}

#[test]
fn other_rows_fail_a_comparison_that_was_not_asked_for_them() {
    let mut comparison = comparison();
    let results = sample::full().results.unwrap();
    let differs = results.statements.iter().find(|statement| statement.identical == Some(false)).unwrap().clone();
    comparison.results_identical = Some(false);
    comparison.results = Some(results);
    let gates = judge(&[], &comparison, ALPHA, |_, _| ends(1.0, 1.0));
    assert_eq!((gates[0].expression.as_str(), gates[0].outcome), (RESULTS_IDENTICAL, Outcome::Failed));
    let reason = gates[0].reason.as_ref().unwrap();
    assert!(reason.starts_with(&format!("{}: ", differs.name)), "{reason}");
    assert_eq!(judge(&[plain(Requirement::ResultsIdentical)], &comparison, ALPHA, |_, _| ends(1.0, 1.0)).len(), 1);
}

#[test]
fn gates_stay_in_their_order() {
    let conditions = [
        Condition { expression: "one".into(), requirement: Requirement::ResultsIdentical },
        Condition { expression: "two".into(), ..ratio(MetricName::P99, None, Bound::AtMost, 0.5) },
        Condition { expression: "three".into(), requirement: Requirement::FindingsNoneWorse },
    ];
    let gates = judge(&conditions, &comparison(), ALPHA, |_, _| ends(0.1, 0.2));
    let order: Vec<_> = gates.iter().map(|gate| (gate.expression.as_str(), gate.kind)).collect();
    assert_eq!(order, [("one", GateKind::Results), ("two", GateKind::Change), ("three", GateKind::Findings)]);
}

#[test]
fn a_gate_of_an_earlier_build_is_a_threshold() {
    let text = r#"{"expression":"p(95)<1s","before":null,"after":2.5,"unit":"ms","outcome":"passed","reason":null}"#;
    let gate: Gate = serde_json::from_str(text).unwrap();
    assert_eq!((gate.kind, gate.unit, gate.ratio), (GateKind::Threshold, Some(ThresholdUnit::Ms), None));
}

proptest! {
    #[test]
    fn a_bound_and_its_opposite_are_never_kept_both(low in 0.01_f64..4.0, width in 0.0_f64..2.0, limit in 0.01_f64..4.0) {
        let interval = ends(low, low + width).unwrap();
        for (bound, opposite) in [(Bound::Below, Bound::AtLeast), (Bound::AtMost, Bound::Above)] {
            let turned = match bound.outcome(&interval, limit) {
                Outcome::Passed => Outcome::Failed,
                Outcome::Failed => Outcome::Passed,
                Outcome::Undecided => Outcome::Undecided,
            };
            prop_assert_eq!(opposite.outcome(&interval, limit), turned);
        }
    }
}
