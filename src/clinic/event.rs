//! What a use case tells while it works.

pub use crate::engine::{Progress as LoadProgress, Stage as LoadStage};
use crate::record::{CapacityPoint, Phase, ThresholdUnit};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step that has begun, in words: `building the index`.
    Step(String),
    /// A fact worth a line of its own: `the dataset is complete: 1 000 000 rows`.
    Note(String),
    /// Rows of a table that are loaded so far.
    Seeding {
        /// Rows sent so far, over all tables.
        rows: u64,
        /// Rows in all.
        total: u64,
    },
    /// A measurement goes on.
    Load {
        /// The phase that is measured.
        phase: Phase,
        /// Its state.
        progress: LoadProgress,
    },
    /// A rate was tried in a search for capacity.
    Probe {
        /// The threshold that is to be kept.
        threshold: String,
        /// The unit of what it compares.
        unit: ThresholdUnit,
        /// What came of it.
        point: CapacityPoint,
    },
}

/// Told what happens. Called from any thread.
pub trait Events: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event);
}
