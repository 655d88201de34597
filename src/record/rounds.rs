//! What a record keeps of the run in rounds that it is part of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    activity::ServerActivity,
    phase::Phase,
    totals::{Latency, Totals},
    warning::Warning,
};

/// The run in rounds that a record is part of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The same in both records of a run, and in no other.
    pub id: String,
    /// Whether neither side has the fix: the differences between the sides are noise.
    pub aa: bool,
    /// Rounds that were asked for; with `automatic` the most there may be.
    pub rounds_asked: u32,
    /// Whether the run could end before, once everything was decided.
    pub automatic: bool,
    /// Rounds that were completed; the record covers these.
    pub rounds: u32,
    /// Which side was measured first in each of them. In a run without a fix `before` stands for the first side.
    pub first: Vec<Phase>,
    /// Seconds that the run spent: `seed`, `results`, `fix`, `around` (connecting, checkpoints, counters), `warm_up`, `measured`, `plans`,
    /// `write_probe`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub time_s: BTreeMap<String, f64>,
}

/// One uninterrupted stretch of measurement in one phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Its round, from 1.
    pub round: u32,
    /// Begin of its measured window, UTC; null where it was not recorded.
    pub started_at: Option<jiff::Timestamp>,
    /// Begin, seconds from the begin of the record's first block.
    pub start_s: f64,
    /// Length in seconds, as it was.
    pub measured_s: f64,
    /// The part of it in which operations were sent.
    pub sending_s: f64,
    /// Counts over all statements.
    pub totals: Totals,
    /// Response time over all statements.
    pub latency_ms: Latency,
    /// The same by operation of the mix, in the order of the record's.
    pub statements: Vec<BlockStatement>,
    /// What the server counted over it; null where it was not read.
    pub server_activity: Option<ServerActivity>,
    /// What to know before believing its figures.
    pub warnings: Vec<Warning>,
}

/// Figures of one operation of the mix in a block.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockStatement {
    /// Its name in the workload.
    pub name: String,
    /// Counts.
    pub totals: Totals,
    /// Response time.
    pub latency_ms: Latency,
}
