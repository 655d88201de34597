//! Comparisons of made-up rounds, from records and response times to verdicts.

use super::{
    Comparison, Measured, Method, Options, Verdict, compare,
    gate::{Bound, Condition, Requirement},
};
use crate::{
    compare::MetricName,
    record::{Block, BlockHistograms, BlockStatement, ErrorCount, Found, Outcome, Phase, Record, RunInfo, sample},
    stats::{CompactHistogram, SliceTimes},
};

/// A side of a run: the record, and what its blocks measured.
struct Side {
    found: Found,
    blocks: Vec<BlockHistograms>,
}

fn histogram(ms: f64) -> CompactHistogram {
    let ns = |step: u32| (ms * 1e6 * (1.0 + f64::from(step) / 400.0)) as u64;
    let mut histogram = CompactHistogram::default();
    histogram.add_times(&(0..400).map(ns).collect::<Vec<u64>>());
    histogram
}

/// A side of two statements; each round is a little slower or faster than the one before.
fn side(phase: Phase, rounds: u32, [one, other]: [f64; 2]) -> Side {
    let mut record: Record = sample::record(phase);
    let mut second = record.statements[0].clone();
    second.name = "insert".into();
    record.statements.push(second);
    record.run = Some(RunInfo {
        id: "1".into(),
        aa: false,
        rounds_asked: rounds,
        automatic: false,
        rounds,
        first: vec![Phase::Before; rounds as usize],
        time_s: std::collections::BTreeMap::new(),
    });
    let mut blocks = Vec::new();
    for round in 1..=rounds {
        let noise = 1.0 + f64::from(round % 3) / 100.0 * if phase == Phase::After { 1.0 } else { 0.5 };
        let statements: Vec<_> = [one, other].map(|ms| histogram(ms * noise)).to_vec();
        let mut total = statements[0].clone();
        total.add(&statements[1]);
        blocks.push(BlockHistograms { slices: vec![SliceTimes::from(&total)], total, statements });
        let totals = record.totals.clone();
        let statement = |name: &str| BlockStatement { name: name.into(), totals: totals.clone(), ..Default::default() };
        record.blocks.push(Block {
            round,
            totals: totals.clone(),
            statements: vec![statement("latest_of_user"), statement("insert")],
            ..Block::default()
        });
    }
    Side { found: Found { folder: phase.as_str().into(), record }, blocks }
}

fn compared(before: &Side, after: &Side, conditions: &[Condition]) -> Comparison {
    fn measured(side: &Side) -> Measured<'_> {
        Measured { found: &side.found, blocks: &side.blocks }
    }
    compare(measured(before), measured(after), &Options { conditions, ..Options::default() }).unwrap()
}

fn verdict(comparison: &Comparison, name: MetricName, statement: Option<&str>) -> Verdict {
    let all = comparison.metrics.iter().chain(comparison.statements.iter().flat_map(|of| &of.metrics));
    let found = all.into_iter().find(|metric| metric.name == name && metric.statement.as_deref() == statement);
    found.unwrap().verdict
}

fn improves() -> Condition {
    let requirement = Requirement::Ratio { metric: MetricName::P99, statement: None, bound: Bound::AtMost, limit: 0.9 };
    Condition { expression: "p99 improves by 10%".into(), requirement }
}

#[test]
fn a_fix_that_helps_one_statement_and_hurts_another_says_so() {
    let comparison = compared(&side(Phase::Before, 6, [100.0, 1.0]), &side(Phase::After, 6, [10.0, 1.5]), &[]);
    assert_eq!(comparison.method, Method::Rounds);
    assert_eq!(verdict(&comparison, MetricName::P99, None), Verdict::Improved);
    assert_eq!(verdict(&comparison, MetricName::P99, Some("latest_of_user")), Verdict::Improved);
    assert_eq!(verdict(&comparison, MetricName::P99, Some("insert")), Verdict::Regressed);
    let mixed: Vec<_> = comparison.mixed().iter().map(|metric| metric.statement.as_deref()).collect();
    assert_eq!(mixed, [Some("latest_of_user"), Some("insert")]);
    // A gate on the workload leaves the statements a family of their own.
    let gated = compared(&side(Phase::Before, 6, [100.0, 1.0]), &side(Phase::After, 6, [10.0, 1.5]), &[improves()]);
    assert_eq!((gated.mixed().len(), gated.outcome()), (2, Outcome::Passed));
}

#[test]
fn one_round_and_five_bear_no_claim() {
    for rounds in [1, 5] {
        let (before, after) = (side(Phase::Before, rounds, [100.0, 1.0]), side(Phase::After, rounds, [10.0, 0.5]));
        let comparison = compared(&before, &after, &[improves()]);
        assert_eq!((comparison.method, comparison.verdict), (Method::Rounds, Verdict::Inconclusive));
        assert_eq!(comparison.outcome(), Outcome::Undecided);
        assert!(comparison.notes.iter().any(|note| note.id == "few-rounds"));
    }
}

#[test]
fn operations_that_fail_after_the_fix_improve_nothing() {
    let (before, mut after) = (side(Phase::Before, 6, [100.0, 1.0]), side(Phase::After, 6, [10.0, 0.5]));
    let failed = |sqlstate: &str| vec![ErrorCount { sqlstate: sqlstate.into(), count: 500_000, sample: "x".into() }];
    after.found.record.errors = failed("22012");
    let comparison = compared(&before, &after, &[improves()]);
    assert_eq!((comparison.verdict, comparison.outcome()), (Verdict::Inconclusive, Outcome::Undecided));
    let reason = comparison.headline().unwrap().reason.clone().unwrap();
    assert!(reason.starts_with("0.0 % of the operations failed before and "), "{reason}");
    // What is slower in spite of that is slower.
    let slower = compared(&side(Phase::Before, 6, [5.0, 0.2]), &after, &[]);
    assert_eq!(slower.verdict, Verdict::Regressed);
    // Timeouts are in the percentiles.
    after.found.record.errors = failed("57014");
    assert_eq!(compared(&before, &after, &[improves()]).outcome(), Outcome::Passed);
    // Those that failed before the fix would only have made more of its effect.
    after.found.record.errors.clear();
    let mut worse = side(Phase::Before, 6, [100.0, 1.0]);
    worse.found.record.errors = failed("22012");
    assert_eq!(compared(&worse, &after, &[improves()]).outcome(), Outcome::Passed);
}
