//! What the engine measured.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use crate::stats::{CompactHistogram, empty_histogram};

/// Figures over some set of operations. Histograms are in nanoseconds, 1 ns to 1 h, 3 significant digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures<T = Histogram<u64>> {
    /// Operations that ended, with and without error.
    pub operations: u64,
    /// Arrivals that were not sent because they had waited longer than the load's latency limit. They are no operations.
    pub skipped: u64,
    /// Operations without error that took longer than the load's latency limit.
    pub late: u64,
    /// Tries beyond the first of each operation.
    pub retries: u64,
    /// Response times: from the intended start to the end. Without errors, but with timeouts and, at the time that they had
    /// waited, with what was skipped: both would have taken at least as long.
    pub response: T,
    /// Service times: from the sending to the end, of the last try; of operations without errors, but with timeouts.
    pub service: T,
    /// Lag: from the intended start to the moment a client turned to it; of the same operations.
    pub lag: T,
    /// From then to the sending: the wait for a connection of a pool, or for a new one; of the same operations. `None` where
    /// clients have connections of their own.
    pub wait: Option<T>,
    /// Response times of operations that ended in an error, timeouts among them: one for each error counted.
    pub failed: T,
    /// Errors by SQLSTATE (`connection` or `timeout` where there is none): how many, and one message.
    pub errors: BTreeMap<String, (u64, String)>,
}

/// Figures as there may be thousands of: a histogram takes 270 KB, at rest some bytes for each time.
pub type CompactFigures = Figures<CompactHistogram>;

/// Figures of a statement, where there are scripts of several.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFigures {
    /// Index of the statement in the workload.
    pub statement: usize,
    /// Executions that ended, with and without error.
    pub executions: u64,
    /// Of these, with an error.
    pub errors: u64,
    /// Service times, in nanoseconds; without errors, but with timeouts.
    pub service: CompactHistogram,
}

/// A stage of the load.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFigures {
    /// Begin, from the begin of the window.
    pub start: Duration,
    /// Length; the last stage has what was awaited at the end too.
    pub length: Duration,
    /// What ended in it.
    pub figures: CompactFigures,
}

/// Connections that were lost in the measured window, and what came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConnectionFigures {
    /// Connections that clients lost.
    pub lost: u64,
    /// Connections that replaced them.
    pub reconnected: u64,
    /// Attempts to connect again that failed.
    pub failed_attempts: u64,
    /// Time without a connection, over all clients.
    pub without: Duration,
    /// Why one was lost or an attempt failed.
    pub sample: Option<String>,
}

/// What became of the arrivals of an open load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivalFigures {
    /// Arrivals due in the window.
    pub planned: u64,
    /// Of these, sent.
    pub sent: u64,
    /// The time in which they were due: the window as far as it went.
    pub window: Duration,
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
    /// Arrivals that were given up in it.
    pub skipped: u64,
    /// Tries beyond the first.
    pub retries: u64,
    /// Response times, as of [`Figures::response`].
    pub response: CompactHistogram,
    /// Mean number of clients that sent or, in a closed load, thought; those that its stages had pausing are left out.
    pub active_clients: f64,
    /// Mean number of clients with a session.
    pub connected_clients: f64,
    /// Mean use of the pool: connections that clients held, that nobody held, clients that waited. `None` without a pool.
    pub pool: Option<[f64; 3]>,
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
    /// Over all scripts.
    pub total: Figures,
    /// By script, in the order of the workload.
    pub scripts: Vec<CompactFigures>,
    /// By statement, in the order of the workload, where there are scripts of several statements; otherwise empty.
    pub steps: Vec<StepFigures>,
    /// By stage, where the load has stages: by the moment that operations ended at.
    pub stages: Vec<StageFigures>,
    /// Of an open load.
    pub arrivals: Option<ArrivalFigures>,
    /// Connections that were lost.
    pub connections: ConnectionFigures,
    /// The window in slices of a second.
    pub slices: Vec<SliceFigures>,
    /// How long this process stood still, from the begin of the window on: it was stopped, or the machine slept.
    pub suspended: Duration,
    /// User and system time of the sending threads during the window.
    pub client_cpu: Duration,
    /// How the warm-up went.
    pub warm_up: WarmUp,
    /// How it ended.
    pub ended: Ended,
}

impl Measurement {
    /// Adds a later measurement of the same load and workload, whose window began `offset` after that of this one.
    ///
    /// Windows add up; slices keep the distance of their windows; of the warm-ups the longest is told; it ended as the later one did.
    pub fn append(&mut self, later: Self, offset: Duration) {
        self.measured += later.measured;
        self.sending += later.sending;
        later.scripts.iter().for_each(|figures| self.total.add(figures));
        self.scripts.iter_mut().zip(&later.scripts).for_each(|(to, from)| to.add(from));
        for (to, from) in self.steps.iter_mut().zip(later.steps) {
            to.executions += from.executions;
            to.errors += from.errors;
            to.service.add(&from.service);
        }
        for (to, from) in self.stages.iter_mut().zip(later.stages) {
            to.length += from.length;
            to.figures.add(&from.figures);
        }
        if let (Some(to), Some(from)) = (&mut self.arrivals, later.arrivals) {
            to.planned += from.planned;
            to.sent += from.sent;
            to.window += from.window;
        }
        let (to, from) = (&mut self.connections, later.connections);
        to.lost += from.lost;
        to.reconnected += from.reconnected;
        to.failed_attempts += from.failed_attempts;
        to.without += from.without;
        to.sample = to.sample.take().or(from.sample);
        let slices = later.slices.into_iter().map(|slice| SliceFigures { start: slice.start + offset, ..slice });
        self.slices.extend(slices);
        self.client_cpu += later.client_cpu;
        self.suspended += later.suspended;
        self.warm_up.length = self.warm_up.length.max(later.warm_up.length);
        self.warm_up.cold_clients = self.warm_up.cold_clients.max(later.warm_up.cold_clients);
        self.ended = later.ended;
    }
}

/// Times that others are added to.
trait Sums {
    /// No times.
    fn none() -> Self;

    fn add_all(&mut self, times: &CompactHistogram);
}

impl Sums for Histogram<u64> {
    fn none() -> Self {
        empty_histogram()
    }

    fn add_all(&mut self, times: &CompactHistogram) {
        times.add_to(self);
    }
}

impl Sums for CompactHistogram {
    fn none() -> Self {
        Self::default()
    }

    fn add_all(&mut self, times: &CompactHistogram) {
        self.add(times);
    }
}

impl Figures {
    /// Over all of these operations.
    pub(super) fn over(parts: &[CompactFigures]) -> Self {
        let mut all = Self {
            operations: 0,
            skipped: 0,
            late: 0,
            retries: 0,
            response: empty_histogram(),
            service: empty_histogram(),
            lag: empty_histogram(),
            wait: None,
            failed: empty_histogram(),
            errors: BTreeMap::new(),
        };
        parts.iter().for_each(|part| all.add(part));
        all
    }
}

impl<T> Figures<T> {
    /// Operations that ended in an error.
    pub fn error_count(&self) -> u64 {
        self.errors.values().map(|(count, _)| count).sum()
    }

    /// Adds figures over other operations.
    fn add(&mut self, other: &CompactFigures)
    where
        T: Sums,
    {
        self.operations += other.operations;
        self.skipped += other.skipped;
        self.late += other.late;
        self.retries += other.retries;
        self.response.add_all(&other.response);
        self.service.add_all(&other.service);
        self.lag.add_all(&other.lag);
        if let Some(wait) = &other.wait {
            self.wait.get_or_insert_with(T::none).add_all(wait);
        }
        self.failed.add_all(&other.failed);
        for (sqlstate, (count, sample)) in &other.errors {
            self.errors.entry(sqlstate.clone()).or_insert_with(|| (0, sample.clone())).0 += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn figures(operations: u64, ns: u64) -> CompactFigures {
        let response = CompactHistogram::of_equal(ns, operations);
        Figures {
            operations,
            skipped: 1,
            late: 2,
            retries: 3,
            service: response.clone(),
            lag: CompactHistogram::default(),
            wait: None,
            failed: CompactHistogram::default(),
            errors: BTreeMap::from([("40001".to_owned(), (operations, "deadlock".to_owned()))]),
            response,
        }
    }

    fn measurement(operations: u64, ns: u64, ended: Ended) -> Measurement {
        let second = Duration::from_secs(1);
        let of_script = figures(operations, ns);
        let slice = SliceFigures {
            start: Duration::ZERO,
            length: second,
            operations,
            errors: 0,
            skipped: 0,
            retries: 0,
            response: of_script.response.clone(),
            active_clients: 1.0,
            connected_clients: 1.0,
            pool: None,
        };
        Measurement {
            started_at: jiff::Timestamp::UNIX_EPOCH,
            measured: second,
            sending: second,
            total: Figures::over(slice::from_ref(&of_script)),
            scripts: vec![of_script.clone()],
            steps: vec![StepFigures { statement: 0, executions: 2, errors: 1, service: of_script.service.clone() }],
            stages: vec![StageFigures { start: Duration::ZERO, length: second, figures: of_script }],
            arrivals: Some(ArrivalFigures { planned: 10, sent: 9, window: second }),
            connections: ConnectionFigures { lost: 1, ..ConnectionFigures::default() },
            slices: vec![slice],
            suspended: Duration::ZERO,
            client_cpu: second,
            warm_up: WarmUp { length: second, cold_clients: operations as u32 },
            ended,
        }
    }

    #[test]
    fn a_later_measurement_adds_up() {
        let mut all = measurement(5, 1_000, Ended::Completed);
        all.append(measurement(7, 3_000_000, Ended::Stopped), Duration::from_secs(60));
        assert_eq!((all.measured.as_secs(), all.sending.as_secs(), all.client_cpu.as_secs()), (2, 2, 2));
        assert_eq!((all.total.response.len(), all.total.response.min(), all.total.error_count()), (12, 1_000, 12));
        assert!(all.total.response.max() >= 3_000_000);
        assert_eq!(all.total, Figures::over(&all.scripts));
        for figures in [&all.scripts[0], &all.stages[0].figures] {
            assert_eq!((figures.operations, figures.skipped, figures.late, figures.retries), (12, 2, 4, 6));
            assert_eq!(figures.response.histogram(), all.total.response);
        }
        assert_eq!((all.steps[0].executions, all.steps[0].errors, all.steps[0].service.samples()), (4, 2, 12));
        assert_eq!(all.arrivals.map(|arrivals| (arrivals.planned, arrivals.sent)), Some((20, 18)));
        let starts: Vec<u64> = all.slices.iter().map(|slice| slice.start.as_secs()).collect();
        assert_eq!((starts, all.connections.lost), (vec![0, 60], 2));
        assert_eq!((all.warm_up.cold_clients, all.ended), (7, Ended::Stopped));
    }
}
