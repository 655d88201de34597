//! What the engine measured.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use super::histogram::CompactHistogram;

/// Figures over some set of operations. Histograms are in nanoseconds, 1 ns to 1 h, 3 significant digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Operations that ended, with and without error.
    pub operations: u64,
    /// Response times: from the intended start to the end. Without errors, but with timeouts.
    pub response: Histogram<u64>,
    /// Service times: from the sending to the end.
    pub service: Histogram<u64>,
    /// Lag: from the intended start to the sending.
    pub lag: Histogram<u64>,
    /// Response times of operations that ended in an error, timeouts among them: one for each error counted.
    pub failed: Histogram<u64>,
    /// Errors by SQLSTATE (`connection` or `timeout` where there is none): how many, and one message.
    pub errors: BTreeMap<String, (u64, String)>,
}

/// One second of the measured window.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceFigures {
    /// Begin, from the begin of the window.
    pub start: Duration,
    /// Length; the last slice may be shorter or, by what was awaited at the end, longer.
    pub length: Duration,
    /// Operations that ended in it, with and without error.
    pub operations: u64,
    /// Of these, with an error.
    pub errors: u64,
    /// Response times: without errors, but with timeouts.
    pub response: CompactHistogram,
}

/// How the warm-up went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmUp {
    /// Its length as it was: longer than asked for when statements needed the time, 0 when it never ended.
    pub length: Duration,
    /// Clients that had not executed every statement often enough when the measured window began, so that their plans may
    /// have changed inside it. Above 0 only when the statements are too slow for the longest warm-up.
    pub cold_clients: u32,
}

/// How a measurement ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It ran its time.
    Completed,
    /// It was told to stop.
    Stopped,
    /// It could not go on: why, in words.
    Failed(String),
}

/// What the engine measured.
///
/// It covers the operations that were sent inside the measured window, each with its full time; what was in flight when the
/// window began belongs to the warm-up.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Begin of the measured window, wall clock; when it never began, the moment the measurement ended.
    pub started_at: jiff::Timestamp,
    /// Length of the measured window, until the last operation in flight had ended; 0 when it never began.
    pub measured: Duration,
    /// The part of `measured` in which operations were sent. Throughput is operations by this: a single slow operation that
    /// was awaited at the end would otherwise dilute it.
    pub sending: Duration,
    /// Over all statements.
    pub total: Figures,
    /// By statement, in the order of the workload.
    pub statements: Vec<Figures>,
    /// The window in slices of a second.
    pub slices: Vec<SliceFigures>,
    /// User and system time of the sending threads during the window.
    pub client_cpu: Duration,
    /// How the warm-up went.
    pub warm_up: WarmUp,
    /// How it ended.
    pub ended: Ended,
}

impl Figures {
    /// Operations that ended in an error.
    pub fn error_count(&self) -> u64 {
        self.errors.values().map(|(count, _)| count).sum()
    }
}
