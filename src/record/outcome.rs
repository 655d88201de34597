//! What came of conditions on a measurement: thresholds, and the search for capacity.

use serde::{Deserialize, Serialize};

/// What came of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The condition holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be decided; data that are missing never pass.
    Undecided,
}

/// A threshold and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// As it was written: `p(95)<50ms`.
    pub expression: String,
    /// The operation it is about; null is all of them.
    pub statement: Option<String>,
    /// What was measured; null where there is no value, or none that the samples support.
    pub value: Option<f64>,
    /// What it was compared with.
    pub limit: f64,
    /// Unit of both.
    pub unit: ThresholdUnit,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is undecided, in words; null when it was decided.
    pub reason: Option<String>,
}

/// Unit of a threshold's value and limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdUnit {
    /// Milliseconds.
    Ms,
    /// A share, 0 to 1.
    Share,
    /// A second.
    PerS,
}

/// The highest rate that keeps a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The threshold, as it was written.
    pub threshold: String,
    /// The highest rate that kept it, arrivals a second; null when even the lowest one tried did not.
    pub rate_per_s: Option<f64>,
    /// Every measurement of the search, lowest rate first; the one of the record that holds this is among them.
    pub curve: Vec<CapacityPoint>,
}

/// One rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacityPoint {
    /// Arrivals a second, as planned.
    pub rate_per_s: f64,
    /// Operations without error a second, as it was.
    pub achieved_per_s: f64,
    /// Operations that ended, with and without error.
    pub operations: u64,
    /// Operations that ended in an error.
    pub errors: u64,
    /// Median response time in milliseconds; null where the samples do not support it, as below.
    pub p50_ms: Option<f64>,
    /// 95th percentile of the response time.
    pub p95_ms: Option<f64>,
    /// 99th percentile of the response time.
    pub p99_ms: Option<f64>,
    /// What the threshold compares, in its unit; null where there is none.
    pub value: Option<f64>,
    /// Whether the rate was kept and the threshold with it. What could not be decided did not pass.
    pub passed: bool,
    /// Why not, where it is not the value that breaks the threshold; null otherwise.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Outcome {
    /// Of all of them together: failed when one failed, else undecided when one is, else passed.
    pub fn of_all(outcomes: impl IntoIterator<Item = Self>) -> Self {
        outcomes.into_iter().fold(Self::Passed, |all, one| match (all, one) {
            (Self::Failed, _) | (_, Self::Failed) => Self::Failed,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (Self::Passed, Self::Passed) => Self::Passed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_what_is_undecided_and_that_outweighs_a_pass() {
        use Outcome::{Failed, Passed, Undecided};
        assert_eq!(Outcome::of_all([]), Passed);
        assert_eq!(Outcome::of_all([Passed, Undecided, Passed]), Undecided);
        assert_eq!(Outcome::of_all([Undecided, Failed, Passed]), Failed);
        assert_eq!(Outcome::of_all([Passed, Failed, Undecided]), Failed);
    }
}
