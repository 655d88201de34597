//! The load that the engine drives.

use std::time::Duration;

use super::{Arrivals, Pauses, Profile};
use crate::scenario::{LoadDefaults, LoadModel, Stage, Value};

/// How long what is in flight at the end is awaited, unless told otherwise.
pub const GRACE: Duration = Duration::from_secs(30);

/// The least that a warm-up may be extended by.
const LEAST_EXTENSION: Duration = Duration::from_secs(10);

/// A load: who sends, for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// When operations are sent.
    pub model: LoadModel,
    /// Concurrent clients, at least 1; with stages the most there are at once.
    pub clients: u32,
    /// How the number of clients (closed) or the rate (open) goes over the measured window; empty when it stays as it is.
    pub stages: Vec<Stage>,
    /// Threads that drive them, at least 1, at most `clients`.
    pub threads: u32,
    /// Discarded time before the measured window.
    pub warmup: Duration,
    /// The measured window, or the longest that it may be.
    pub duration: Duration,
    /// When the window of a closed load without stages may end before that; `None` if only the time ends it.
    pub enough: Option<Enough>,
    /// How long what is in flight at the end is awaited; [`GRACE`] is usual.
    pub grace: Duration,
    /// Seed of arrivals and think times.
    pub seed: u64,
    /// How often an operation is tried again after a serialization failure or a deadlock.
    pub retries: u32,
    /// Share of errors, 0 to 1, above which the measurement is given up; 1 never gives it up.
    pub error_limit: f64,
}

/// When a measured window has lasted long enough: both conditions hold. The rule is fixed before the window begins, and what it counts is
/// how many operations were answered, never how fast they were, so the number of samples that a percentile is taken from is given beforehand
/// (a fixed sample size, as `pgbench -t` has it) and not a result of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enough {
    /// Operations that ended without an error.
    pub samples: u64,
    /// Time in which operations were sent.
    pub time: Duration,
}

/// One unit that the engine times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Operation {
    /// Number in the phase. Closed load: `k * clients + client` for the `k`-th measured operation of a client. Open load: the
    /// number of the arrival. In the warm-up the same with [`WARM_UP`](super::WARM_UP) set.
    pub number: u64,
    /// Index of the script in the workload.
    pub script: usize,
    /// A value for each parameter of each of its steps, in order; NULL for one that comes from the result of an earlier step.
    pub parameters: Vec<Value>,
}

impl Load {
    /// The load of a scenario, driven by `threads` threads, at most one a client.
    pub fn new(defaults: &LoadDefaults, threads: u32) -> Self {
        Self {
            model: defaults.model,
            clients: defaults.clients,
            stages: defaults.stages.clone(),
            threads: threads.clamp(1, defaults.clients.max(1)),
            warmup: defaults.warmup,
            duration: defaults.duration,
            enough: None,
            grace: GRACE,
            seed: defaults.seed,
            retries: defaults.retries,
            error_limit: defaults.error_limit,
        }
    }

    /// How the number of clients (closed) or the rate (open) goes over the measured window.
    pub fn profile(&self) -> Profile {
        let steady = match self.model {
            _ if !self.stages.is_empty() => return Profile::new(&self.stages),
            LoadModel::Closed { .. } => f64::from(self.clients),
            LoadModel::Open { rate, .. } => rate,
        };
        Profile::constant(steady, self.duration)
    }

    /// Whether operations arrive at a rate.
    pub fn is_open(&self) -> bool {
        matches!(self.model, LoadModel::Open { .. })
    }

    /// How long an arrival may wait before it is skipped, for an open load that skips any.
    pub fn latency_limit(&self) -> Option<Duration> {
        match self.model {
            LoadModel::Closed { .. } => None,
            LoadModel::Open { latency_limit, .. } => latency_limit,
        }
    }

    /// When the operations of the measured window are to start, for an open load.
    pub fn arrivals(&self) -> Option<Arrivals> {
        match self.model {
            LoadModel::Closed { .. } => None,
            LoadModel::Open { arrivals, .. } => Some(Arrivals::new(self.profile(), arrivals, self.seed)),
        }
    }

    /// When the operations of the warm-up are to start, for an open load; without end.
    pub fn warm_up_arrivals(&self) -> Option<Arrivals> {
        match self.model {
            LoadModel::Closed { .. } => None,
            LoadModel::Open { arrivals, .. } => Some(Arrivals::of_warm_up(&self.profile(), arrivals, self.seed)),
        }
    }

    /// The pauses of the clients, for a closed load with think time.
    pub fn pauses(&self) -> Option<Pauses> {
        match self.model {
            LoadModel::Closed { think_time: Some(think_time) } => Some(Pauses::new(think_time, self.seed)),
            _ => None,
        }
    }

    /// How long the warm-up may take when the statements are so slow that its own time does not suffice: that time and again
    /// the length of the measured window, 10 s at least.
    pub fn longest_warmup(&self) -> Duration {
        self.warmup + self.duration.max(LEAST_EXTENSION)
    }
}
