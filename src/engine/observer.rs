//! How others watch a measurement.

use std::time::Duration;

/// Told how a measurement goes, a few times a second, from a thread that sends nothing.
pub trait Observer: Send + Sync {
    /// A new state.
    fn progress(&self, progress: &Progress);
}

/// What a measurement is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Opening sessions and preparing statements.
    Connecting,
    /// Sending; discarded.
    WarmUp,
    /// Sending; measured.
    Measuring,
    /// Waiting for what is in flight.
    Draining,
}

/// State of a measurement. Times in nanoseconds cover the measured window so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Time spent in the stage.
    pub elapsed: Duration,
    /// Time the stage is planned to take.
    pub planned: Duration,
    /// Operations that ended.
    pub operations: u64,
    /// Of these, with an error.
    pub errors: u64,
    /// Operations without error a second.
    pub throughput_per_s: f64,
    /// Median response so far.
    pub p50_ns: Option<u64>,
    /// 95th percentile so far.
    pub p95_ns: Option<u64>,
    /// 99th percentile so far.
    pub p99_ns: Option<u64>,
}
