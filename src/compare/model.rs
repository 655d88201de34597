//! The shape of `comparison.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    finding_change::FindingChange,
    gate::{Gate, GateKind},
    plan_change::PlanChange,
};
use crate::record::{
    EnoughInfo, ErrorCount, LoadInfo, Machine, Outcome, PlanFigures, PlansUnderLoad, Price, ResultsCheck, RunInfo,
    Warning,
};

/// Version of the shape written by this build.
pub const FORMAT: u32 = 1;

/// What a comparison says about a metric or as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Better beyond the tolerance, with confidence.
    Improved,
    /// Worse beyond the tolerance, with confidence.
    Regressed,
    /// The same within the tolerance, with confidence.
    Equivalent,
    /// The measurements do not decide.
    Inconclusive,
}

/// Two phases of a scenario side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Version of this shape.
    pub format: u32,
    /// Scenario id.
    pub scenario: String,
    /// The fix between the phases, in one line.
    pub fix: String,
    /// What it says as a whole: the verdict of the headline.
    pub verdict: Verdict,
    /// How the sides were measured, which says what the intervals bear.
    #[serde(default)]
    pub method: Method,
    /// The run that both sides are of; null where they were measured by themselves.
    #[serde(default)]
    pub run: Option<RunInfo>,
    /// Relative difference that counts as none, such as 0.02.
    #[serde(default)]
    pub tolerance: f64,
    /// The measurement without a fix that noise floors are from; null without one.
    #[serde(default)]
    pub noise: Option<Noise>,
    /// Trends over the rounds; empty without rounds.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// What was measured, and where; null in comparisons of earlier builds.
    #[serde(default)]
    pub setup: Option<Setup>,
    /// The two records.
    pub sides: Sides,
    /// Over all statements, then from the plans by statement.
    pub metrics: Vec<Metric>,
    /// Each statement of the workload by itself.
    pub statements: Vec<StatementComparison>,
    /// The captured plans, paired by statement and class.
    pub plans: Vec<PlanComparison>,
    /// The findings of both phases, paired, the worst first; null where either was not examined.
    #[serde(default)]
    pub findings: Option<Vec<FindingChange>>,
    /// Whether both phases returned the same rows; null when that was not checked or is undecided.
    pub results_identical: Option<bool>,
    /// What came of comparing the rows; null when that was not checked.
    #[serde(default)]
    pub results: Option<ResultsCheck>,
    /// What the fix costs; null where that was not measured.
    #[serde(default)]
    pub price: Option<Price>,
    /// Conditions that decide the exit code.
    pub gates: Vec<Gate>,
    /// What differs between the sides and should not bear on the result, but may.
    pub differences: Vec<Difference>,
    /// What a reader has to know before believing the comparison.
    pub notes: Vec<Warning>,
}

/// How the sides were measured, best first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// In turns, round by round: drift of the machine hits both sides.
    Rounds,
    /// In several blocks, but not in turns.
    Blocks,
    /// In one go each: judged by what varies from second to second.
    Slices,
    /// In one go each, and nothing is known but the figures: there are no intervals.
    #[default]
    Once,
}

/// A measurement of the noise: both sides without the fix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Folder of that comparison.
    pub folder: String,
    /// When it was measured.
    pub measured_at: jiff::Timestamp,
    /// Rounds behind it.
    pub rounds: u32,
}

/// A trend over the rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Of what, over all statements.
    pub metric: MetricName,
    /// Of which values.
    pub of: DriftOf,
    /// Kendall's rank correlation with the number of the round, -1 to 1.
    pub tau: f64,
    /// Two-sided p of no trend.
    pub p: f64,
    /// Last over first round, by the trend (Theil and Sen).
    pub ratio: f64,
}

/// What a trend is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftOf {
    /// The values before.
    Before,
    /// The values after.
    After,
    /// Their ratio in each round.
    Effect,
}

/// What was measured, and where, by the record after; `differences` has what was not the same before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The operations, as the phase before sends them.
    pub statements: Vec<StatementText>,
    /// The load.
    pub load: LoadInfo,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// `server_version`, such as `15.18`.
    pub server_version: String,
    /// Whether the server is latclinic's own.
    pub server_managed: bool,
    /// The machine that ran the load.
    pub machine: Machine,
}

/// An operation of the workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementText {
    /// Its name.
    pub name: String,
    /// Its text; the steps of a script one after the other.
    pub sql: String,
}

/// The two records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// The fix absent.
    pub before: Side,
    /// The fix present.
    pub after: Side,
}

/// What stands behind the figures of one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Folder of its record.
    pub folder: String,
    /// Begin of the measured window, UTC.
    pub started_at: jiff::Timestamp,
    /// Samples behind its latencies.
    pub samples: u64,
    /// Operations that ended, with and without error.
    pub operations: u64,
    /// Operations that ended in an error.
    pub errors: u64,
    /// The same by SQLSTATE, as in its record.
    #[serde(default)]
    pub errors_by_sqlstate: Vec<ErrorCount>,
    /// Seconds asked for; where `enough` ended its blocks before their time, the most that there may be.
    pub duration_s: f64,
    /// When a block ended before its time, as in its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enough: Option<EnoughInfo>,
    /// Seconds measured.
    pub measured_s: f64,
    /// Whether it ended before its time.
    pub interrupted: bool,
    /// Why it did, in words.
    pub interrupted_by: Option<String>,
    /// Bytes of the scenario's tables with their indexes and TOAST.
    pub dataset_bytes: u64,
    /// The plans that ran under its load, as in its record.
    #[serde(default)]
    pub plans_under_load: Option<PlansUnderLoad>,
    /// What its record warns of.
    pub warnings: Vec<Warning>,
}

/// A figure of both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What it is.
    pub name: MetricName,
    /// The statement it is about; null is the whole workload.
    pub statement: Option<String>,
    /// Unit of `before` and `after`.
    pub unit: Unit,
    /// Value before the fix; null where it was not measured or its samples do not support it.
    pub before: Option<f64>,
    /// Value after the fix; null as above.
    pub after: Option<f64>,
    /// `after / before`; null where either is null or `before` is 0. With an interval the ratio that it is of: in rounds the
    /// geometric mean of the ratios of each round, which is near that of the two values and not the same.
    pub ratio: Option<f64>,
    /// Lower end of the ratio's interval; null without one.
    pub ci_low: Option<f64>,
    /// Upper end of the ratio's interval; null without one.
    pub ci_high: Option<f64>,
    /// Confidence of the interval, 0 to 1; null without one.
    pub confidence: Option<f64>,
    /// What it says.
    pub verdict: Verdict,
    /// Samples behind `before`.
    pub before_samples: u64,
    /// Samples behind `after`.
    pub after_samples: u64,
    /// Samples that a percentile needs; null for what is no percentile.
    pub samples_needed: Option<u64>,
    /// `after / before` of each round, in order; empty without rounds.
    #[serde(default)]
    pub effects: Vec<f64>,
    /// Lower end of the interval by resampling the rounds, at the same confidence; null without rounds.
    #[serde(default)]
    pub bootstrap_low: Option<f64>,
    /// Upper end of it.
    #[serde(default)]
    pub bootstrap_high: Option<f64>,
    /// The smallest relative difference that this machine could show, such as 0.03, by a run without a fix; null without one.
    #[serde(default)]
    pub noise_floor: Option<f64>,
    /// Why there is no interval or no verdict, where that is not plain from it; null otherwise.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// Median response time.
    P50,
    /// 95th percentile of the response time.
    P95,
    /// 99th percentile of the response time.
    P99,
    /// Greatest response time.
    Max,
    /// Operations without error a second.
    Throughput,
    /// Operations with an error as a share of all.
    ErrorRate,
    /// Execution time of the typical plan.
    ExecutionTime,
    /// Rows that the scans of the typical plan read.
    RowsRead,
    /// Shared buffers that the typical plan touched, in the cache or not.
    Buffers,
}

/// Unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// A second.
    PerS,
    /// A share, 0 to 1.
    Share,
    /// Rows.
    Rows,
    /// Buffers of 8 KiB, unless the server was built otherwise.
    Buffers,
}

/// A statement of the workload by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementComparison {
    /// Its name.
    pub name: String,
    /// Its figures under load.
    pub metrics: Vec<Metric>,
}

/// A statement's plans for one class of parameter values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanComparison {
    /// Statement's name.
    pub statement: String,
    /// As in [`PlanFigures::class`].
    pub class: String,
    /// Plan before the fix; null when none was captured.
    pub before: Option<PlanFigures>,
    /// Plan after the fix; null when none was captured.
    pub after: Option<PlanFigures>,
    /// What changed from one to the other; empty as well where either has no nodes.
    #[serde(default)]
    pub changes: Vec<PlanChange>,
}

/// Something that differs between the sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What: `server setting work_mem`.
    pub what: String,
    /// Before the fix.
    pub before: String,
    /// After the fix.
    pub after: String,
}

impl Metric {
    /// The smallest relative difference that such an interval could show: half of its width, beyond the tolerance. Of a comparison
    /// without a fix that is the noise floor. `None` without an interval.
    pub fn smallest_difference(&self, tolerance: f64) -> Option<f64> {
        let half = (self.ci_high?.ln() - self.ci_low?.ln()) / 2.0;
        Some(half.exp() * (1.0 + tolerance) - 1.0)
    }
}

impl MetricName {
    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        self == Self::Throughput
    }

    /// Whether it is a time.
    pub fn is_time(self) -> bool {
        self.unit() == Unit::Ms
    }

    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Max => "max",
            Self::Throughput => "throughput",
            Self::ErrorRate => "error_rate",
            Self::ExecutionTime => "execution_time",
            Self::RowsRead => "rows_read",
            Self::Buffers => "buffers",
        }
    }

    /// The quantile that it is, where it is one.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }

    /// Whether it is measured under load, not taken from a plan.
    pub fn is_of_load(self) -> bool {
        !matches!(self, Self::ExecutionTime | Self::RowsRead | Self::Buffers)
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        match self {
            Self::P50 | Self::P95 | Self::P99 | Self::Max | Self::ExecutionTime => Unit::Ms,
            Self::Throughput => Unit::PerS,
            Self::ErrorRate => Unit::Share,
            Self::RowsRead => Unit::Rows,
            Self::Buffers => Unit::Buffers,
        }
    }
}

impl Comparison {
    /// What came of all its gates.
    pub fn outcome(&self) -> Outcome {
        Outcome::of_all(self.gates.iter().map(|gate| gate.outcome))
    }

    /// Whether each gate on a change is decided; where there is none, whether the headline has a verdict.
    pub fn is_decided(&self) -> bool {
        let mut changes = self.gates.iter().filter(|gate| gate.kind == GateKind::Change).peekable();
        if changes.peek().is_none() {
            return self.headline().is_some_and(|metric| metric.verdict != Verdict::Inconclusive);
        }
        changes.all(|gate| gate.outcome != Outcome::Undecided)
    }

    /// The metric that matters most: p99 of the whole workload, or the highest percentile that both sides support and that has an
    /// interval, where any has.
    pub fn headline(&self) -> Option<&Metric> {
        headline(self.metrics.iter().filter(|metric| metric.statement.is_none()), has_interval)
    }

    /// Metrics of several statements whose verdicts contradict that of the whole workload or of each other: the improved and
    /// the regressed ones, none where they agree.
    pub fn mixed(&self) -> Vec<&Metric> {
        let headlines = self.statements.iter().filter_map(|statement| headline(statement.metrics.iter(), has_interval));
        let of = |verdict| headlines.clone().filter(move |metric| metric.verdict == verdict);
        let regressed: Vec<&Metric> = of(Verdict::Regressed).collect();
        if regressed.is_empty() || (self.verdict == Verdict::Regressed && of(Verdict::Improved).count() == 0) {
            return Vec::new();
        }
        of(Verdict::Improved).chain(regressed).collect()
    }
}

/// The highest percentile that both sides support; of these the highest that `can_be_judged`, where any can.
pub(super) fn headline<'m>(
    metrics: impl Iterator<Item = &'m Metric> + Clone,
    can_be_judged: impl Fn(&Metric) -> bool,
) -> Option<&'m Metric> {
    let supported = || {
        [MetricName::P99, MetricName::P95, MetricName::P50].into_iter().filter_map(|name| {
            metrics.clone().find(|metric| metric.name == name && metric.before.is_some() && metric.after.is_some())
        })
    };
    supported().find(|metric| can_be_judged(metric)).or_else(|| supported().next())
}

fn has_interval(metric: &Metric) -> bool {
    metric.ci_low.is_some()
}

impl Verdict {
    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Regressed => "regressed",
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
        }
    }
}
