//! What a use case tells while it works.

use std::time::Duration;

pub use crate::engine::{Progress as LoadProgress, Stage as LoadStage};
use crate::record::{CapacityPoint, Phase, ThresholdUnit};

/// Where in a run in rounds a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundPlace {
    /// Its round, from 1.
    pub round: u32,
    /// Rounds there are, or may be.
    pub of: u32,
    /// Whether there may be fewer.
    pub at_most: bool,
    /// Length of the block's measured window.
    pub block: Duration,
    /// Time that is left when the block has ended, as it is expected.
    pub rest: Duration,
}

impl RoundPlace {
    /// Time that is left, as it is expected, when a stage of the block's measurement has ended.
    pub fn after(&self, stage: LoadStage) -> Duration {
        match stage {
            LoadStage::Connecting | LoadStage::WarmUp => self.block + self.rest,
            LoadStage::Measuring | LoadStage::Draining => self.rest,
        }
    }
}

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
        /// Where in a run in rounds it stands.
        round: Option<RoundPlace>,
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
