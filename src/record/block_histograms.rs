//! The response times of a block.

use crate::stats::{CompactHistogram, SliceTimes};

/// Response times of one block, in nanoseconds. A record that was measured in one go has one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BlockHistograms {
    /// Over all statements.
    pub total: CompactHistogram,
    /// By operation of the mix, in the order of the record's.
    pub statements: Vec<CompactHistogram>,
    /// Over all statements, second by second.
    pub slices: Vec<SliceTimes>,
}
