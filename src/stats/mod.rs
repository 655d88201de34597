//! Pure maths: percentiles that samples support, series that have not settled or drift, effects with their intervals, claims.

mod block_length;
mod bootstrap;
mod compact;
mod correlation;
mod early_drift;
mod estimate;
mod histogram;
mod holm;
mod percentile;
mod quantile;
mod slices;
mod spending;
mod trend;
mod verdict;

pub use bootstrap::bootstrap_interval;
pub use compact::CompactHistogram;
pub use early_drift::{EarlyDrift, early_drift};
pub use estimate::{Estimate, t_interval, welch_interval};
pub use histogram::{LONGEST_NS, empty_histogram, has_our_layout, merge};
pub use holm::{Step, step_down};
pub use percentile::{CONFIDENCE, percentile, samples_needed};
pub use quantile::{block_quantile, samples_of_block};
pub use slices::{SliceTimes, slice_bootstrap, slice_bootstrap_means};
pub use spending::{alpha_of_look, looks};
pub use trend::{Trend, trend};
pub use verdict::{Claim, ROUNDS_NEEDED, claim, claim_of_rounds};
