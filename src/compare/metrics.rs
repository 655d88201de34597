//! Figures of both sides, paired.

use super::model::{Metric, MetricName, PlanComparison, Verdict};
use crate::record::{Latency, PlanFigures, Totals};

/// The class of parameter values whose plan gives the plan metrics.
const TYPICAL: &str = "typical";

/// One side's value and the samples behind it.
#[derive(Debug, Clone, Copy)]
struct Value {
    value: Option<f64>,
    samples: u64,
}

/// Metrics of the load: percentiles, maximum, throughput, error rate.
pub(super) fn of_load(
    statement: Option<&str>,
    (totals_before, latency_before): (&Totals, &Latency),
    (totals_after, latency_after): (&Totals, &Latency),
) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (before, after) in latency_before.percentiles().into_iter().zip(latency_after.percentiles()) {
        let Some(name) = percentile_name(before.name) else { continue };
        let value = |value, latency: &Latency| Value { value, samples: latency.samples };
        let pair = (value(before.value, latency_before), value(after.value, latency_after));
        metrics.push(Metric { samples_needed: Some(before.needed), ..once(name, statement, pair) });
    }
    let max = |latency: &Latency| Value { value: latency.max, samples: latency.samples };
    metrics.push(once(MetricName::Max, statement, (max(latency_before), max(latency_after))));
    let throughput = |totals: &Totals| Value { value: Some(totals.throughput_per_s), samples: totals.operations };
    metrics.push(once(MetricName::Throughput, statement, (throughput(totals_before), throughput(totals_after))));
    let error_rate = |totals: &Totals| Value {
        value: (totals.operations > 0).then_some(totals.error_rate),
        samples: totals.operations,
    };
    metrics.push(once(MetricName::ErrorRate, statement, (error_rate(totals_before), error_rate(totals_after))));
    metrics
}

/// Metrics of the typical plan of each statement. A plan is one execution, so one sample.
pub(super) fn of_plans(plans: &[PlanComparison]) -> Vec<Metric> {
    type Figure = fn(&PlanFigures) -> Option<f64>;
    let figures: [(MetricName, Figure); 3] = [
        (MetricName::ExecutionTime, |plan| plan.execution_ms),
        (MetricName::RowsRead, |plan| plan.rows_read.map(|rows| rows as f64)),
        (MetricName::Buffers, |plan| plan.buffers().map(|buffers| buffers as f64)),
    ];
    let mut metrics = Vec::new();
    for plan in plans.iter().filter(|plan| plan.class == TYPICAL) {
        for (name, figure) in figures {
            let value = |plan: &Option<PlanFigures>| Value {
                value: plan.as_ref().and_then(figure),
                samples: u64::from(plan.is_some()),
            };
            metrics.push(once(name, Some(&plan.statement), (value(&plan.before), value(&plan.after))));
        }
    }
    metrics
}

/// A metric that is not judged yet: a ratio, but no interval, so nothing that could be concluded.
fn once(name: MetricName, statement: Option<&str>, (before, after): (Value, Value)) -> Metric {
    Metric {
        name,
        statement: statement.map(str::to_owned),
        unit: name.unit(),
        before: before.value,
        after: after.value,
        ratio: ratio(before.value, after.value),
        ci_low: None,
        ci_high: None,
        confidence: None,
        verdict: Verdict::Inconclusive,
        before_samples: before.samples,
        after_samples: after.samples,
        samples_needed: None,
        effects: Vec::new(),
        bootstrap_low: None,
        bootstrap_high: None,
        noise_floor: None,
        reason: None,
    }
}

/// `after / before` where that is a number.
fn ratio(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    let ratio = after? / before?;
    ratio.is_finite().then_some(ratio)
}

fn percentile_name(name: &str) -> Option<MetricName> {
    match name {
        "p50" => Some(MetricName::P50),
        "p95" => Some(MetricName::P95),
        "p99" => Some(MetricName::P99),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_a_number_or_null() {
        assert_eq!(ratio(Some(4.0), Some(1.0)), Some(0.25));
        assert_eq!(ratio(Some(4.0), Some(0.0)), Some(0.0));
        assert_eq!(ratio(Some(0.0), Some(4.0)), None);
        assert_eq!(ratio(Some(0.0), Some(0.0)), None);
        assert_eq!(ratio(Some(f64::MIN_POSITIVE), Some(f64::MAX)), None);
        assert_eq!(ratio(None, Some(1.0)), None);
    }

    #[test]
    fn nothing_measured_has_no_error_rate() {
        let side = (&Totals::default(), &Latency::default());
        let metrics = of_load(None, side, side);
        let rate = metrics.iter().find(|metric| metric.name == MetricName::ErrorRate).unwrap();
        assert_eq!((rate.before, rate.ratio), (None, None));
    }
}
