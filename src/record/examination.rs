//! What an examination of one statement's plans found: what `latclinic explain` shows.

use serde::{Deserialize, Serialize};

use super::{Finding, PlanFigures, WhatIf};

/// One statement, examined.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Examination {
    /// Where the plans are from, such as `plans.log, line 12`; null where there is only one such place.
    pub source: Option<String>,
    /// The statement's text; null where it did not come with its plan.
    pub statement: Option<String>,
    /// Its plans, one a class of parameter values. `statement` and `class` of a plan that was read from a file are empty.
    pub plans: Vec<PlanFigures>,
    /// What the rules saw, the greatest time at stake first; `node` is a place among the nodes of the plan of the finding's first class,
    /// or of the only plan.
    pub findings: Vec<Finding>,
    /// What limits what can be said, each a sentence without a full stop: `the plan was not executed: it has estimates only`.
    pub notes: Vec<String>,
    /// What the indexes that findings advise would change, each tried; empty where that was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub what_if: Vec<WhatIf>,
    /// The plans of a log that it stands for; absent if it stands for itself only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowest_of: Option<SlowestOf>,
}

/// Plans of a log whose statements differ in their values only, of which the slowest is examined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SlowestOf {
    /// How many they are.
    pub plans: usize,
    /// Milliseconds that all of them took.
    pub total_ms: f64,
}
