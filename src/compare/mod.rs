//! Two records to a comparison.
//!
//! [`compare`] first asks whether the records belong together; what does not is an [`Error`] with every reason, never a
//! table. The shape of its result is that of `comparison.json`.

mod build;
mod comparable;
mod drift;
mod evidence;
mod finding_change;
mod gate;
mod judge;
mod metrics;
mod model;
mod notes;
mod plan_change;
mod price;

pub use build::{Options, TOLERANCE, compare};
pub use comparable::{Error, same_thing};
pub use evidence::Measured;
pub use finding_change::{FindingChange, FindingState};
pub use gate::{Bound, Condition, Gate, GateKind, Requirement};
pub use model::{
    Comparison, Difference, Drift, DriftOf, FORMAT, Method, Metric, MetricName, Noise, PlanComparison, Setup, Side,
    Sides, StatementComparison, StatementText, Unit, Verdict,
};
pub use plan_change::{Effect, PlanChange, PlanChangeKind};
pub use price::price;

#[cfg(test)]
mod tests;
