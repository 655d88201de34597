//! What a rule saw in a plan.

use serde::{Deserialize, Serialize};

/// What a rule saw: evidence, impact, advice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id, such as `seq-scan-filter`.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Statement's name; null where the plan is not one of a workload.
    pub statement: Option<String>,
    /// Classes of parameter values that it was seen for; the figures are those of the first, where most is at stake.
    pub classes: Vec<String>,
    /// Place of the node among the plan's `nodes`; null where it is about the whole statement.
    pub node: Option<usize>,
    /// Labels from the root down to that node; empty without one.
    pub path: String,
    /// What was seen, with the numbers that convict: `Seq Scan on events read 1 000 000 rows to keep 98`.
    pub evidence: String,
    /// Share of the statement's time at stake, 0 to 1; null where nothing was timed.
    pub share: Option<f64>,
    /// Milliseconds of an execution at stake; null as above.
    pub at_stake_ms: Option<f64>,
    /// What to do, in words.
    pub advice: String,
    /// SQL that does it, statement by statement; empty where no statement follows from what is known.
    pub statements: Vec<String>,
    /// How sure it is that the advice helps.
    pub confidence: Confidence,
    /// Whether the planner used the advised index when it was told of it (HypoPG); null where it was not asked, and the advice
    /// follows from the rules of indexes and statistics alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<bool>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth a change.
    Warning,
    /// The cause of most of the time, or it will be.
    Critical,
}

/// How sure it is that an advice helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It depends on what the plan does not show.
    Low,
    /// It usually does.
    Medium,
    /// The plan shows it.
    High,
}

impl Severity {
    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Confidence {
    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
