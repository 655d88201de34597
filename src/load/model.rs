//! The load that the engine drives.

use std::time::Duration;

use crate::scenario::Value;

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
    /// Number in the phase: `k * clients + client` for the `k`-th operation of a client.
    pub number: u64,
    /// Index of the statement in the workload.
    pub statement: usize,
    /// A value for each of its parameters.
    pub parameters: Vec<Value>,
}
