//! Pure maths: percentiles that samples support, series that have not settled.

mod early_drift;
mod percentile;

pub use early_drift::{EarlyDrift, early_drift};
pub use percentile::{CONFIDENCE, percentile, samples_needed};
