//! Pure maths: percentiles that samples support.

mod percentile;

pub use percentile::{CONFIDENCE, percentile, samples_needed};
