//! Puts a comparison together.

use super::{
    comparable::{self, Error},
    drift::drift,
    evidence::{Measured, method},
    finding_change,
    gate::{self, Condition, Gate},
    judge::Judge,
    metrics,
    model::{
        Comparison, FORMAT, Method, Metric, MetricName, Noise, PlanComparison, Setup, Side, Sides, StatementComparison,
        StatementText, Verdict,
    },
    notes::notes,
    plan_change,
};
use crate::record::{Found, PlanFigures, Record, StatementFigures, ThresholdResult};

/// Relative difference that counts as none, unless told otherwise.
pub const TOLERANCE: f64 = 0.02;

/// How to compare.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Relative difference that counts as none.
    pub tolerance: f64,
    /// What the comparison has to keep. The metrics that this is about are judged as a family.
    pub conditions: &'a [Condition],
    /// A comparison of the same scenario on the same machine without a fix, and where it is: what noise there is.
    pub noise: Option<(&'a Comparison, &'a str)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { tolerance: TOLERANCE, conditions: &[], noise: None }
    }
}

/// Compares two records: of the phases before and after, or both of one phase.
///
/// # Errors
/// When the records are not of the same scenario, dataset, load, statements and fix.
pub fn compare(before: Measured<'_>, after: Measured<'_>, options: &Options<'_>) -> Result<Comparison, Error> {
    let (from, to) = (&before.found.record, &after.found.record);
    comparable::check(from, to)?;
    let plans = plans(from, to);
    let findings = finding_change::changes(from.findings.as_deref(), to.findings.as_deref(), &plans);
    let mut metrics = metrics::of_load(None, (&from.totals, &from.latency_ms), (&to.totals, &to.latency_ms));
    metrics.extend(metrics::of_plans(&plans));
    let mut statements = statements(from, to);
    let method = method(before, after);
    let run = from.run.clone().filter(|run| to.run.as_ref().is_some_and(|other| other.id == run.id));
    // They are about the fix between these two sides.
    let results = to.results.clone().filter(|_| run.is_some());
    let price = to.price.clone().filter(|_| run.is_some());
    let sides = [before, after];
    let judge = Judge::new(method, options.tolerance, run.as_ref(), sides);
    judge.judge(&mut metrics, &mut statements, &gate::gated(options.conditions));
    let noise = options.noise.map(|(comparison, folder)| Noise {
        folder: folder.to_owned(),
        measured_at: comparison.sides.before.started_at,
        rounds: comparison.run.as_ref().map_or(0, |run| run.rounds),
    });
    if let Some((comparison, _)) = options.noise {
        noise_floors(comparison, metrics.iter_mut().chain(statements.iter_mut().flat_map(|of| &mut of.metrics)));
    }
    let drift = if method == Method::Rounds { drift(&[MetricName::P50, MetricName::P99], sides) } else { Vec::new() };
    let mut comparison = Comparison {
        format: FORMAT,
        scenario: from.scenario.clone(),
        fix: from.fix.title.clone(),
        verdict: Verdict::Inconclusive,
        method,
        run,
        tolerance: options.tolerance,
        noise,
        drift,
        setup: Some(setup(from, to)),
        sides: Sides { before: side(before.found), after: side(after.found) },
        metrics,
        statements,
        plans,
        findings,
        results_identical: results.as_ref().and_then(|check| check.identical),
        results,
        price,
        gates: thresholds(from, to),
        differences: comparable::differences(from, to),
        notes: Vec::new(),
    };
    comparison.verdict = comparison.headline().map_or(Verdict::Inconclusive, |metric| metric.verdict);
    comparison.notes = notes(&comparison, sides);
    let judged = gate::judge(options.conditions, &comparison, judge.alpha, |metric, confidence| {
        let place = |name: &String| comparison.statements.iter().position(|statement| statement.name == *name);
        judge.interval(metric.name, metric.statement.as_ref().and_then(place), confidence)
    });
    comparison.gates.extend(judged);
    Ok(comparison)
}

/// Gives each metric the smallest difference that its counterpart without a fix says could be shown.
fn noise_floors<'m>(noise: &Comparison, metrics: impl Iterator<Item = &'m mut Metric>) {
    let known: Vec<&Metric> = noise.metrics.iter().chain(noise.statements.iter().flat_map(|of| &of.metrics)).collect();
    for metric in metrics {
        let same = known.iter().find(|other| other.name == metric.name && other.statement == metric.statement);
        metric.noise_floor = same.and_then(|same| same.smallest_difference(noise.tolerance));
    }
}

fn setup(before: &Record, after: &Record) -> Setup {
    let text =
        |statement: &StatementFigures| StatementText { name: statement.name.clone(), sql: statement.sql.clone() };
    Setup {
        statements: before.statements.iter().map(text).collect(),
        load: after.load.clone(),
        rows: after.dataset.rows.clone(),
        server_version: after.server.version.clone(),
        server_managed: after.server.managed,
        machine: after.machine.clone(),
    }
}

fn side(found: &Found) -> Side {
    let record = &found.record;
    Side {
        folder: found.folder.display().to_string(),
        started_at: record.started_at,
        samples: record.latency_ms.samples,
        operations: record.totals.operations,
        errors: record.totals.errors,
        errors_by_sqlstate: record.errors.clone(),
        duration_s: record.load.duration_s,
        enough: record.load.enough,
        measured_s: record.measured_s,
        interrupted: record.interrupted,
        interrupted_by: record.interrupted_by.clone(),
        dataset_bytes: record.dataset.bytes,
        plans_under_load: record.plans_under_load.clone(),
        warnings: record.warnings.clone(),
    }
}

/// Pairs by name; the check has made sure that both sides have the same names.
fn statements(before: &Record, after: &Record) -> Vec<StatementComparison> {
    let pairs = before.statements.iter().filter_map(|from| {
        let to = after.statements.iter().find(|to| to.name == from.name)?;
        Some((from, to))
    });
    pairs
        .map(|(from, to)| StatementComparison {
            name: from.name.clone(),
            metrics: metrics::of_load(Some(&from.name), (&from.totals, &from.latency_ms), (&to.totals, &to.latency_ms)),
        })
        .collect()
}

/// The thresholds of the phase after. Before the fix they show how sick the patient was, and decide nothing.
fn thresholds(before: &Record, after: &Record) -> Vec<Gate> {
    let earlier = |expression: &str| before.thresholds.iter().find(|same| same.expression == expression)?.value;
    let gate = |result: &ThresholdResult| Gate::threshold(result, earlier(&result.expression));
    after.thresholds.iter().map(gate).collect()
}

/// Pairs by statement and class, in the order of the record before; then what only the record after has.
fn plans(before: &Record, after: &Record) -> Vec<PlanComparison> {
    let pair = |known: &PlanFigures| {
        let [before, after] = [before, after].map(|record| plan_of(record, &known.statement, &known.class));
        let changes = match (&before, &after) {
            (Some(before), Some(after)) => plan_change::changes(before, after),
            _ => Vec::new(),
        };
        PlanComparison { statement: known.statement.clone(), class: known.class.clone(), before, after, changes }
    };
    let is_new = |plan: &&PlanFigures| {
        before.plans.iter().all(|known| (&known.statement, &known.class) != (&plan.statement, &plan.class))
    };
    before.plans.iter().chain(after.plans.iter().filter(is_new)).map(pair).collect()
}

/// The plan of a statement for a class of values. The generic plan is kept only where it is another than those for values; else it is that
/// for the typical ones.
fn plan_of(record: &Record, statement: &str, class: &str) -> Option<PlanFigures> {
    let of = |class: &str| record.plans.iter().find(|plan| plan.statement == statement && plan.class == class);
    let same_as = || of("typical").filter(|typical| typical.generic_is_same == Some(true));
    let plan = of(class).or_else(|| if class == "generic" { same_as() } else { None })?;
    Some(PlanFigures { class: class.to_owned(), ..plan.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compare::MetricName,
        record::{Latency, Outcome, Phase, Totals, sample},
    };

    fn found(record: Record) -> Found {
        Found { folder: format!("reports/events/{}", record.phase).into(), record }
    }

    fn pair() -> (Found, Found) {
        (found(sample::record(Phase::Before)), found(sample::record(Phase::After)))
    }

    /// Two records without their response times.
    fn compared(before: &Found, after: &Found) -> Result<Comparison, Error> {
        let measured = |found| Measured { found, blocks: &[] };
        compare(measured(before), measured(after), &Options::default())
    }

    #[test]
    fn one_measurement_a_side_has_ratios_but_no_interval_and_no_verdict() {
        let (before, after) = pair();
        let comparison = compared(&before, &after).unwrap();
        let p99 = comparison.metrics.iter().find(|metric| metric.name == MetricName::P99).unwrap();
        assert_eq!(p99.ratio, Some(0.399 / 307.2));
        assert!(comparison.metrics.iter().all(|metric| {
            (metric.ci_low, metric.ci_high, metric.confidence, metric.verdict)
                == (None, None, None, Verdict::Inconclusive)
        }));
        assert_eq!(comparison.notes[0].id, "measured-once");
        assert_eq!(comparison.headline().unwrap().name, MetricName::P99);
    }

    #[test]
    fn the_shape_is_that_of_the_contract_and_reads_back() {
        let (before, after) = pair();
        let comparison = compared(&before, &after).unwrap();
        let json = serde_json::to_value(&comparison).unwrap();
        for key in ["verdict", "metrics", "results_identical", "gates"] {
            assert!(json.get(key).is_some(), "{key}");
        }
        for key in ["name", "unit", "before", "after", "ratio", "ci_low", "ci_high", "confidence", "verdict"] {
            assert!(json["metrics"][0].get(key).is_some(), "{key}");
        }
        let names: Vec<_> = json["metrics"].as_array().unwrap().iter().map(|metric| &metric["name"]).collect();
        assert_eq!(
            names,
            ["p50", "p95", "p99", "max", "throughput", "error_rate", "execution_time", "rows_read", "buffers"]
        );
        assert_eq!(serde_json::from_value::<Comparison>(json).unwrap(), comparison);
    }

    #[test]
    fn the_headline_falls_back_to_what_both_sides_support() {
        let (mut before, after) = pair();
        before.record.latency_ms.p99 = None;
        assert_eq!(compared(&before, &after).unwrap().headline().unwrap().name, MetricName::P95);
        before.record.latency_ms = Latency::default();
        assert_eq!(compared(&before, &after).unwrap().headline(), None);
    }

    #[test]
    fn the_thresholds_of_the_phase_after_decide() {
        let (mut before, mut after) = pair();
        assert_eq!(compared(&before, &after).unwrap().outcome(), Outcome::Passed);
        let results = sample::full().thresholds;
        before.record.thresholds = results[..1].to_vec();
        after.record.thresholds = results[..2].to_vec();
        before.record.thresholds[0].outcome = Outcome::Failed;
        before.record.thresholds[0].value = Some(600.0);
        let comparison = compared(&before, &after).unwrap();
        let sides: Vec<_> = comparison.gates.iter().map(|gate| (gate.before, gate.after, gate.outcome)).collect();
        assert_eq!(sides, [(Some(600.0), Some(190.3), Outcome::Passed), (None, None, Outcome::Undecided)]);
        assert_eq!(comparison.gates[1].reason, results[1].reason);
        assert_eq!(comparison.outcome(), Outcome::Undecided);
    }

    #[test]
    fn plans_pair_by_class_and_a_missing_one_is_noted() {
        let (before, mut after) = pair();
        after.record.plans[0].class = "hot".into();
        let comparison = compared(&before, &after).unwrap();
        assert_eq!(comparison.plans.len(), 2);
        let note = comparison.notes.iter().find(|note| note.id == "no-plan").unwrap();
        assert_eq!(note.message, "no plan of latest_of_user was captured after the fix");
    }

    #[test]
    fn a_generic_plan_that_is_that_for_values_is_compared_as_such() {
        let (mut before, mut after) = pair();
        let generic = PlanFigures { class: "generic".into(), ..before.record.plans[0].clone() };
        before.record.plans.push(generic);
        let class_after = |after: &Found| {
            let pair = compared(&before, after).unwrap().plans.remove(1);
            assert_eq!(pair.class, "generic");
            pair.after.map(|plan| (plan.class, plan.scans[0].starts_with("Index Scan")))
        };
        assert_eq!(class_after(&after), Some(("generic".to_owned(), true)));
        after.record.plans[0].generic_is_same = None;
        assert_eq!(class_after(&after), None);
    }

    #[test]
    fn an_interrupted_side_with_errors_is_compared_and_noted() {
        let (before, mut after) = pair();
        after.record.interrupted = true;
        after.record.interrupted_by = Some("the server went away".into());
        after.record.measured_s = 3.25;
        after.record.totals = Totals { operations: 10, errors: 10, error_rate: 1.0, ..Totals::default() };
        after.record.latency_ms = Latency::default();
        let comparison = compared(&before, &after).unwrap();
        let notes: Vec<_> = comparison.notes.iter().map(|note| note.message.as_str()).collect();
        insta::assert_snapshot!(notes.join("\n"), @"
        each side was measured once, so drift of the machine is not ruled out and there is no verdict
        latency.hlog is missing in reports/events/before and in reports/events/after, so percentiles have no interval and cannot be verified
        the measurement after was interrupted (the server went away): 3.2 s of 30 s were measured
        after: 10 of 10 operations failed; only timeouts are counted in the percentiles
        ");
    }
}
