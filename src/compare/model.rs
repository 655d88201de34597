//! The shape of `comparison.json`.

use serde::{Deserialize, Serialize};

use crate::record::{Outcome, PlanFigures, ThresholdUnit, Warning};

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
    /// What it says as a whole.
    pub verdict: Verdict,
    /// The two records.
    pub sides: Sides,
    /// Over all statements, then from the plans by statement.
    pub metrics: Vec<Metric>,
    /// Each statement of the workload by itself.
    pub statements: Vec<StatementComparison>,
    /// The captured plans, paired by statement and class.
    pub plans: Vec<PlanComparison>,
    /// Whether both phases returned the same rows; null when that was not checked.
    pub results_identical: Option<bool>,
    /// Conditions that decide the exit code.
    pub gates: Vec<Gate>,
    /// What differs between the sides and should not bear on the result, but may.
    pub differences: Vec<Difference>,
    /// What a reader has to know before believing the comparison.
    pub notes: Vec<Warning>,
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
    /// Seconds asked for.
    pub duration_s: f64,
    /// Seconds measured.
    pub measured_s: f64,
    /// Whether it ended before its time.
    pub interrupted: bool,
    /// Why it did, in words.
    pub interrupted_by: Option<String>,
    /// Bytes of the scenario's tables with their indexes and TOAST.
    pub dataset_bytes: u64,
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
    /// `after / before`; null where either is null or `before` is 0.
    pub ratio: Option<f64>,
    /// Lower end of the ratio's interval; null where each side was measured once.
    pub ci_low: Option<f64>,
    /// Upper end of the ratio's interval; null where each side was measured once.
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
    /// `hot`, `typical` or `absent`.
    pub class: String,
    /// Plan before the fix; null when none was captured.
    pub before: Option<PlanFigures>,
    /// Plan after the fix; null when none was captured.
    pub after: Option<PlanFigures>,
}

/// A condition on a comparison that decides the exit code: a threshold, which the phase after has to keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// As it was asked for.
    pub expression: String,
    /// What was measured before the fix; null where there is no value, none that the samples support, or no such threshold.
    pub before: Option<f64>,
    /// What was measured after it; null as above.
    pub after: Option<f64>,
    /// Unit of both.
    pub unit: ThresholdUnit,
    /// What came of it after the fix.
    pub outcome: Outcome,
    /// Why it is undecided, in words; null when it was decided.
    pub reason: Option<String>,
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

impl MetricName {
    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        self == Self::Throughput
    }

    /// Whether it is a time.
    pub fn is_time(self) -> bool {
        self.unit() == Unit::Ms
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

    /// The metric that matters most: p99 of the whole workload, or the highest percentile that both sides support.
    pub fn headline(&self) -> Option<&Metric> {
        [MetricName::P99, MetricName::P95, MetricName::P50].into_iter().find_map(|name| {
            self.metrics.iter().find(|metric| {
                metric.statement.is_none() && metric.name == name && metric.before.is_some() && metric.after.is_some()
            })
        })
    }
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
