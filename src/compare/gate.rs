//! Conditions on a comparison, and what came of them.

use serde::{Deserialize, Serialize};

use super::{
    finding_change,
    judge::MetricKey,
    model::{Comparison, Metric, MetricName, Unit},
};
use crate::{
    record::{Outcome, ThresholdResult, ThresholdUnit},
    stats,
};

const RESULTS_IDENTICAL: &str = "results identical";

const BOTH_SIDES: &str = "its interval contains the limit; measure more rounds or longer blocks to narrow it";

/// What a comparison has to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As it was asked for.
    pub expression: String,
    /// What that is.
    pub requirement: Requirement,
}

/// What has to be so.
#[derive(Debug, Clone, PartialEq)]
pub enum Requirement {
    /// The ratio of a metric, after / before, stands so to a limit.
    Ratio {
        /// What it is.
        metric: MetricName,
        /// The operation it is about; `None` is the whole workload.
        statement: Option<String>,
        /// How the ratio has to stand to the limit.
        bound: Bound,
        /// The limit, above 0.
        limit: f64,
    },
    /// Both phases return the same rows.
    ResultsIdentical,
    /// No finding above info is new or worse after the fix, and no plan changed for the worse.
    FindingsNoneWorse,
}

/// How a ratio has to stand to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Below it.
    Below,
    /// At most it.
    AtMost,
    /// Above it.
    Above,
    /// At least it.
    AtLeast,
}

/// A condition that decides the exit code, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// As it was asked for.
    pub expression: String,
    /// What it is a condition on.
    #[serde(default)]
    pub kind: GateKind,
    /// What was measured before the fix; null where there is no value, none that the samples support, or no such threshold.
    pub before: Option<f64>,
    /// What was measured after it; null as above.
    pub after: Option<f64>,
    /// Unit of both; null where it is no condition on a value.
    pub unit: Option<ThresholdUnit>,
    /// `after / before` as it was judged; null unless it is a condition on a change, and as in [`Metric::ratio`].
    #[serde(default)]
    pub ratio: Option<f64>,
    /// Lower end of the ratio's interval; null without one.
    #[serde(default)]
    pub ci_low: Option<f64>,
    /// Upper end of it; null without one.
    #[serde(default)]
    pub ci_high: Option<f64>,
    /// Confidence of the interval, 0 to 1; null without one.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is undecided or what broke it, in words; null where the values say it.
    pub reason: Option<String>,
}

/// What a gate is a condition on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GateKind {
    /// A value of the phase after.
    #[default]
    Threshold,
    /// A metric's ratio, after / before.
    Change,
    /// The rows that both phases return.
    Results,
    /// The findings of both phases.
    Findings,
}

impl Bound {
    /// What comes of an interval: passed when all of it keeps the bound, failed when all of it breaks it.
    fn outcome(self, interval: &Interval, limit: f64) -> Outcome {
        let holds = |ratio: f64| match self {
            Self::Below => ratio < limit,
            Self::AtMost => ratio <= limit,
            Self::Above => ratio > limit,
            Self::AtLeast => ratio >= limit,
        };
        match (holds(interval.low), holds(interval.high)) {
            (true, true) => Outcome::Passed,
            (false, false) => Outcome::Failed,
            _ => Outcome::Undecided,
        }
    }
}

/// The metrics that conditions are on, each once, in their order.
pub(super) fn gated(conditions: &[Condition]) -> Vec<MetricKey> {
    let mut gated: Vec<MetricKey> = Vec::new();
    for condition in conditions {
        if let Requirement::Ratio { metric, statement, .. } = &condition.requirement {
            let key = (*metric, statement.clone());
            if !gated.contains(&key) {
                gated.push(key);
            }
        }
    }
    gated
}

/// An interval of a ratio, and the ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    pub(super) ratio: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Judges conditions by a comparison, whose own gates are not looked at. What is missing is undecided and never passes.
///
/// The metrics that they are on are a family: the probability that one gate or more on a ratio is decided wrongly is at most
/// `alpha` (Holm's correction). `interval` gives the interval of a metric, of the whole workload or of an operation, at a
/// confidence, or says why there is none that bears a decision.
pub(super) fn judge(
    conditions: &[Condition],
    comparison: &Comparison,
    alpha: f64,
    interval: impl Fn(&Metric, f64) -> Result<Interval, String>,
) -> Vec<Gate> {
    let family = gated(conditions);
    let metrics: Vec<Option<&Metric>> = family.iter().map(|key| metric(comparison, key)).collect();
    let at = |metric: Option<&Metric>, confidence| {
        let metric = metric.ok_or_else(|| "the comparison has no such metric".to_owned())?;
        supported(metric)?;
        interval(metric, confidence)
    };
    let bounds = |key: &MetricKey| {
        let key = key.clone();
        conditions.iter().filter_map(move |condition| match &condition.requirement {
            Requirement::Ratio { metric, statement, bound, limit } if (*metric, statement.clone()) == key => {
                Some((*bound, *limit))
            }
            _ => None,
        })
    };
    let steps = stats::step_down(family.len(), alpha, |member, confidence| {
        at(metrics[member], confidence).is_ok_and(|found| {
            bounds(&family[member]).all(|(bound, limit)| bound.outcome(&found, limit) != Outcome::Undecided)
        })
    });
    let change = |key: MetricKey, bound: Bound, limit: f64| {
        let member = family.iter().position(|other| *other == key);
        let metric = member.and_then(|member| metrics[member]);
        let confidence = member.map_or(1.0 - alpha, |member| steps[member].confidence);
        let found = at(metric, confidence);
        let (outcome, reason) = match &found {
            Err(reason) => (Outcome::Undecided, Some(reason.clone())),
            Ok(found) => match bound.outcome(found, limit) {
                Outcome::Undecided => (Outcome::Undecided, Some(BOTH_SIDES.to_owned())),
                decided => (decided, None),
            },
        };
        let found = found.ok();
        Gate {
            before: metric.and_then(|metric| metric.before),
            after: metric.and_then(|metric| metric.after),
            unit: unit(key.0),
            ratio: found.map_or_else(|| metric.and_then(|metric| metric.ratio), |found| Some(found.ratio)),
            ci_low: found.map(|found| found.low),
            ci_high: found.map(|found| found.high),
            confidence: found.map(|_| confidence),
            ..Gate::plain(GateKind::Change, outcome, reason)
        }
    };
    let gate = |condition: &Condition| {
        let gate = match &condition.requirement {
            Requirement::Ratio { metric, statement, bound, limit } => {
                change((*metric, statement.clone()), *bound, *limit)
            }
            Requirement::ResultsIdentical => results(comparison),
            Requirement::FindingsNoneWorse => {
                let (outcome, reason) = finding_change::none_worse(comparison);
                Gate::plain(GateKind::Findings, outcome, reason)
            }
        };
        Gate { expression: condition.expression.clone(), ..gate }
    };
    let mut gates: Vec<Gate> = conditions.iter().map(gate).collect();
    // Other rows after the fix fail it, whether that was asked for or not.
    if comparison.results_identical == Some(false) && gates.iter().all(|gate| gate.kind != GateKind::Results) {
        gates.push(Gate { expression: RESULTS_IDENTICAL.to_owned(), ..results(comparison) });
    }
    gates
}

impl Gate {
    /// A gate without an expression and without figures.
    fn plain(kind: GateKind, outcome: Outcome, reason: Option<String>) -> Self {
        Self {
            expression: String::new(),
            kind,
            before: None,
            after: None,
            unit: None,
            ratio: None,
            ci_low: None,
            ci_high: None,
            confidence: None,
            outcome,
            reason,
        }
    }

    /// A threshold as it came out after the fix; `before` is what was measured before it.
    pub(super) fn threshold(after: &ThresholdResult, before: Option<f64>) -> Self {
        Self {
            expression: after.expression.clone(),
            before,
            after: after.value,
            unit: Some(after.unit),
            ..Self::plain(GateKind::Threshold, after.outcome, after.reason.clone())
        }
    }
}

fn results(comparison: &Comparison) -> Gate {
    let (outcome, otherwise) = match comparison.results_identical {
        Some(true) => return Gate::plain(GateKind::Results, Outcome::Passed, None),
        Some(false) => (Outcome::Failed, "the rows differ before and after the fix"),
        None => (Outcome::Undecided, "the results of the phases were not compared; `latclinic run` compares them"),
    };
    let mut statements = comparison.results.iter().flat_map(|check| &check.statements);
    let first = statements.find(|statement| statement.identical == comparison.results_identical);
    let reason = first.and_then(|statement| Some(format!("{}: {}", statement.name, statement.reason.as_ref()?)));
    Gate::plain(GateKind::Results, outcome, Some(reason.unwrap_or_else(|| otherwise.to_owned())))
}

/// The metric of the whole workload or of an operation.
fn metric<'c>(comparison: &'c Comparison, (name, statement): &MetricKey) -> Option<&'c Metric> {
    let metrics = match statement {
        None => &comparison.metrics,
        Some(wanted) => &comparison.statements.iter().find(|statement| statement.name == *wanted)?.metrics,
    };
    metrics.iter().find(|metric| metric.name == *name && metric.statement == *statement)
}

/// Whether both sides have a value, or why not.
fn supported(metric: &Metric) -> Result<(), String> {
    match (metric.before, metric.after, metric.samples_needed) {
        (Some(_), Some(_), _) => Ok(()),
        (_, _, Some(needed)) => Err(format!(
            "needs {needed} samples a side; there are {} before and {} after: measure longer blocks or more rounds",
            metric.before_samples, metric.after_samples
        )),
        (_, _, None) => Err("it was not measured on both sides".to_owned()),
    }
}

fn unit(name: MetricName) -> Option<ThresholdUnit> {
    match name.unit() {
        Unit::Ms => Some(ThresholdUnit::Ms),
        Unit::PerS => Some(ThresholdUnit::PerS),
        Unit::Share => Some(ThresholdUnit::Share),
        Unit::Rows | Unit::Buffers => None,
    }
}

#[cfg(test)]
mod tests;
