//! Two records to a comparison.
//!
//! [`compare`] first asks whether the records belong together; what does not is an [`Error`] with every reason, never a
//! table. The shape of its result is that of `comparison.json`.

mod build;
mod comparable;
mod metrics;
mod model;
mod notes;

pub use build::compare;
pub use comparable::Error;
pub use model::{
    Comparison, Difference, FORMAT, Gate, Metric, MetricName, PlanComparison, Side, Sides, StatementComparison, Unit,
    Verdict,
};
