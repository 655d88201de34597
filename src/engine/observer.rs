//! How others watch a measurement.

use std::time::Duration;

/// Told how a measurement goes, a few times a second, from a thread that sends nothing.
pub trait Observer: Send + Sync {
    /// A new state.
    fn progress(&self, progress: &Progress);

    /// The measured window begins in some milliseconds.
    fn window_begins(&self) {}
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
    /// Arrivals that were not sent because they had waited too long.
    pub skipped: u64,
    /// Operations without error a second.
    pub throughput_per_s: f64,
    /// Median response so far.
    pub p50_ns: Option<u64>,
    /// 95th percentile so far.
    pub p95_ns: Option<u64>,
    /// 99th percentile so far.
    pub p99_ns: Option<u64>,
    /// Each second of the window that is over, in order.
    pub seconds: Vec<Second>,
    /// Clients or arrivals a second that the load is to have now, where it has stages: which stage, from 1, of how many.
    pub load_stage: Option<LoadStage>,
    /// Clients without a connection.
    pub disconnected: u32,
}

/// A second of the window that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Second {
    /// Operations without error.
    pub operations: u64,
    /// Operations with an error.
    pub errors: u64,
    /// 99th percentile of the response times; `None` when there were none.
    pub p99_ns: Option<u64>,
}

/// Where a load with stages is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadStage {
    /// Which stage, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
    /// Clients (closed) or arrivals a second (open) at this moment.
    pub target: f64,
}
