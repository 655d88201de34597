//! What advised indexes would change, as far as it was tried.

use serde::{Deserialize, Serialize};

/// An advised index, tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIf {
    /// Name of the statement that it was tried on; null where it is none of a workload.
    pub statement: Option<String>,
    /// Class of the parameter values that it was tried with; empty where there are none.
    pub class: String,
    /// The values, as a person reads them.
    pub parameters: Vec<String>,
    /// The advised statements.
    pub advice: Vec<String>,
    /// How it was tried; null where it was not.
    pub how: Option<Trial>,
    /// Why it was not tried, or what limits what the figures say; a sentence without a full stop.
    pub note: Option<String>,
    /// Without the index; null where it was not tried.
    pub before: Option<TriedPlan>,
    /// With it; null as above.
    pub after: Option<TriedPlan>,
    /// Whether the plan with the index reads it; null as above.
    pub used: Option<bool>,
    /// Bytes of the index: measured where it was built, estimated where it was not; null as above.
    pub index_bytes: Option<u64>,
    /// Milliseconds that it took to build; null where it was not built.
    pub build_ms: Option<f64>,
}

/// How an index was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trial {
    /// The planner was told of an index that does not exist (HypoPG): there are costs, and nothing was executed.
    Hypothetical,
    /// It was built in a transaction that was rolled back, and the statement executed in it, as far as the note does not say otherwise.
    Built,
}

/// A plan of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriedPlan {
    /// Node types and relations from the root down the first child.
    pub shape: String,
    /// The planner's cost until the last row.
    pub cost: f64,
    /// Milliseconds of the median execution; null where nothing was executed.
    pub execution_ms: Option<f64>,
    /// Shared buffers of that execution, in the cache or not; null as above.
    pub buffers: Option<u64>,
    /// Milliseconds after which the execution was given up; null where it was not.
    #[serde(default)]
    pub given_up_after_ms: Option<f64>,
}
