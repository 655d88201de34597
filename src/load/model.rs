//! The load that the engine drives.

use std::time::Duration;

use crate::scenario::Value;

/// How long what is in flight at the end is awaited, unless told otherwise.
pub const GRACE: Duration = Duration::from_secs(30);

/// The least that a warm-up may be extended by.
const LEAST_EXTENSION: Duration = Duration::from_secs(10);

/// Marks the numbers of operations in the warm-up, so that the measured ones are the same however long it took.
pub const WARM_UP: u64 = 1 << 63;

/// A load: who sends, for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// When operations are sent.
    pub model: Model,
    /// Concurrent clients, at least 1.
    pub clients: u32,
    /// Threads that drive them, at least 1, at most `clients`.
    pub threads: u32,
    /// Discarded time before the measured window.
    pub warmup: Duration,
    /// The measured window.
    pub duration: Duration,
    /// How long what is in flight at the end is awaited; [`GRACE`] is usual.
    pub grace: Duration,
}

/// When operations are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Model {
    /// A client sends its next operation when its last one has ended.
    Closed,
}

/// One unit that the engine times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Operation {
    /// Number in the phase: `k * clients + client` for the `k`-th measured operation of a client; the same with [`WARM_UP`]
    /// set for the `k`-th one of its warm-up.
    pub number: u64,
    /// Index of the statement in the workload.
    pub statement: usize,
    /// A value for each of its parameters.
    pub parameters: Vec<Value>,
}

impl Load {
    /// How long the warm-up may take when the statements are so slow that its own time does not suffice: that time and again
    /// the length of the measured window, 10 s at least.
    pub fn longest_warmup(&self) -> Duration {
        self.warmup + self.duration.max(LEAST_EXTENSION)
    }
}
