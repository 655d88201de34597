//! What all threads noted, merged.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use hdrhistogram::Histogram;

use super::{
    measurement::{CompactFigures, Figures, SliceFigures, StageFigures, StepFigures},
    observer::Second,
    recorder::{PARTS_IN_SLICE, Part, Tally, statements_noted},
    target::PoolUse,
    times::{self, Times},
};
use crate::{
    load::{Load, Workload},
    stats::{CompactHistogram, empty_histogram},
};

/// Slices kept open for parts that other threads hand over later; older ones are compacted.
const OPEN_SLICES: usize = 2;

const SECOND: Duration = Duration::from_secs(1);

/// What all threads noted so far.
pub(super) struct Ledger {
    scripts: Vec<Sum>,
    /// By statement; empty without scripts of several steps.
    steps: Vec<StepSum>,
    /// By stage; empty without stages.
    stages: Vec<Sum>,
    /// Response times over all scripts.
    response: Histogram<u64>,
    slices: BTreeMap<u64, Slice>,
    open: BTreeSet<u64>,
    /// Over all slices.
    counts: Counts,
}

/// What was counted of operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) operations: u64,
    pub(super) errors: u64,
    pub(super) skipped: u64,
    pub(super) late: u64,
    pub(super) retries: u64,
}

/// What was noted of a set of operations.
#[derive(Default)]
struct Sum {
    counts: Counts,
    response: times::Sum,
    service: Option<times::Sum>,
    lag: Option<times::Sum>,
    wait: Option<times::Sum>,
    failed: times::Sum,
    errors: BTreeMap<String, (u64, String)>,
}

/// What was noted of a statement.
#[derive(Default)]
struct StepSum {
    executions: u64,
    errors: u64,
    service: times::Sum,
}

/// A slice whose response times are open for more, or at rest, or neither when there are none.
#[derive(Default)]
struct Slice {
    counts: Counts,
    open: Option<Box<Histogram<u64>>>,
    compact: Option<(CompactHistogram, u64)>,
    active_ns: u64,
    connected_ns: u64,
    pool: Vec<PoolUse>,
}

impl Ledger {
    pub(super) fn new(load: &Load, workload: &Workload) -> Self {
        fn sums<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            scripts: sums(workload.scripts()),
            steps: sums(statements_noted(workload)),
            stages: sums(load.stages.len()),
            response: empty_histogram(),
            slices: BTreeMap::new(),
            open: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    /// Adds what a thread handed over.
    pub(super) fn add(&mut self, part: &Part) {
        let slice = self.slice(part.index / PARTS_IN_SLICE);
        slice.active_ns += part.active_ns;
        slice.connected_ns += part.connected_ns;
        for (script, tally) in part.scripts.iter().enumerate().filter(|(_, tally)| !tally.is_empty()) {
            self.add_tally(part.index / PARTS_IN_SLICE, part.stage, script, tally);
        }
        for (sum, tally) in self.steps.iter_mut().zip(&part.steps).filter(|(_, tally)| tally.executions > 0) {
            sum.executions += tally.executions;
            sum.errors += tally.errors;
            sum.service.add(&tally.service);
        }
        while self.open.len() > OPEN_SLICES {
            if let Some(oldest) = self.open.pop_first().and_then(|oldest| self.slices.get_mut(&oldest)) {
                oldest.compact();
            }
        }
    }

    /// Adds what was noted of one script.
    fn add_tally(&mut self, slice: u64, stage: usize, script: usize, tally: &Tally) {
        let counts = Counts::of(tally);
        self.counts.add(counts);
        self.scripts[script].add(counts, tally);
        if let Some(stage) = self.stages.get_mut(stage) {
            stage.add(counts, tally);
        }
        tally.response.add_to(&mut self.response);
        self.slice(slice).add(counts, tally);
    }

    /// Adds how the pool is used `at` nanoseconds from the begin of the window.
    pub(super) fn add_pool(&mut self, at: Duration, pool: PoolUse) {
        self.slice(at.as_secs()).pool.push(pool);
    }

    fn slice(&mut self, at: u64) -> &mut Slice {
        self.open.insert(at);
        self.slices.entry(at).or_default()
    }

    /// Response times over all scripts so far.
    pub(super) fn response(&self) -> &Histogram<u64> {
        &self.response
    }

    /// What was counted so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// The last `most` seconds that are over.
    pub(super) fn seconds(&self, most: usize) -> Vec<Second> {
        let last = self.slices.keys().next_back().copied().unwrap_or(0);
        let first = last.saturating_sub(most as u64);
        let second = |at| {
            let slice = self.slices.get(&at);
            let counts = slice.map_or_else(Counts::default, |slice| slice.counts);
            Second {
                operations: counts.operations - counts.errors,
                errors: counts.errors,
                p99_ns: slice.and_then(Slice::p99),
            }
        };
        (first..last).map(second).collect()
    }

    /// The figures of a window of `planned`, of which `measured` was measured.
    pub(super) fn close(self, load: &Load, planned: Duration, measured: Duration) -> Closed {
        let scripts: Vec<CompactFigures> = self.scripts.into_iter().map(Sum::figures).collect();
        let step = |(statement, StepSum { executions, errors, service })| StepFigures {
            statement,
            executions,
            errors,
            service: service.close(),
        };
        let mut start = Duration::ZERO;
        let lengths = load.stages.iter().enumerate().map(|(index, stage)| {
            let begin = start;
            start += stage.duration;
            let end = if index + 1 == load.stages.len() { measured.max(start) } else { start };
            (begin, end.min(measured).saturating_sub(begin))
        });
        let stage = |(sum, (start, length)): (Sum, (Duration, Duration))| StageFigures {
            start,
            length,
            figures: sum.figures(),
        };
        Closed {
            stages: self.stages.into_iter().zip(lengths).map(stage).collect(),
            total: Figures::over(&scripts),
            scripts,
            steps: self.steps.into_iter().enumerate().map(step).collect(),
            slices: close_slices(self.slices, planned, measured),
        }
    }
}

/// The figures of a window.
pub(super) struct Closed {
    pub(super) total: Figures,
    pub(super) scripts: Vec<CompactFigures>,
    pub(super) steps: Vec<StepFigures>,
    pub(super) stages: Vec<StageFigures>,
    pub(super) slices: Vec<SliceFigures>,
}

/// Every slice of the window, those without operations too, the last one as long as the window went on.
fn close_slices(mut slices: BTreeMap<u64, Slice>, planned: Duration, measured: Duration) -> Vec<SliceFigures> {
    let last = planned.min(measured).as_nanos().div_ceil(SECOND.as_nanos()).saturating_sub(1);
    let last = u64::try_from(last).unwrap_or(u64::MAX).max(slices.keys().next_back().copied().unwrap_or(0));
    if measured.is_zero() {
        return Vec::new();
    }
    (0..=last)
        .map(|at| {
            let start = Duration::from_secs(at);
            let length = if at == last { measured.saturating_sub(start) } else { SECOND };
            // Clients are counted while they send.
            let sending = planned.min(measured).saturating_sub(start).min(SECOND);
            slices.remove(&at).unwrap_or_default().figures(start, length, sending)
        })
        .collect()
}

impl Counts {
    fn of(tally: &Tally) -> Self {
        Self {
            operations: tally.operations,
            errors: tally.errors.values().map(|(count, _)| count).sum(),
            skipped: tally.skipped,
            late: tally.late,
            retries: tally.retries,
        }
    }

    fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.late += other.late;
        self.retries += other.retries;
    }
}

/// Adds to a sum that is made when there is something to add.
fn add_times(to: &mut Option<times::Sum>, from: Option<&Times>) {
    if let Some(from) = from {
        to.get_or_insert_default().add(from);
    }
}

impl Sum {
    fn add(&mut self, counts: Counts, tally: &Tally) {
        self.counts.add(counts);
        self.response.add(&tally.response);
        add_times(&mut self.service, tally.apart.as_ref().map(|apart| &apart.service));
        add_times(&mut self.lag, tally.apart.as_ref().map(|apart| &apart.lag));
        add_times(&mut self.wait, tally.wait.as_ref());
        self.failed.add(&tally.failed);
        for (code, (count, sample)) in &tally.errors {
            self.errors.entry(code.clone()).or_insert_with(|| (0, sample.clone())).0 += count;
        }
    }

    /// Where service times and lag were not noted apart, an operation was sent when it was to start: service is response and
    /// lag is 0.
    fn figures(self) -> CompactFigures {
        let response = self.response.close();
        let no_lag = || CompactHistogram::of_equal(0, response.samples());
        Figures {
            operations: self.counts.operations,
            skipped: self.counts.skipped,
            late: self.counts.late,
            retries: self.counts.retries,
            service: self.service.map_or_else(|| response.clone(), times::Sum::close),
            lag: self.lag.map_or_else(no_lag, times::Sum::close),
            wait: self.wait.map(times::Sum::close),
            failed: self.failed.close(),
            errors: self.errors,
            response,
        }
    }
}

impl Slice {
    fn add(&mut self, counts: Counts, tally: &Tally) {
        self.counts.add(counts);
        let rest = self.compact.take();
        let open = self
            .open
            .get_or_insert_with(|| Box::new(rest.map_or_else(empty_histogram, |(compact, _)| compact.histogram())));
        tally.response.add_to(open);
    }

    fn compact(&mut self) {
        if let Some(open) = self.open.take() {
            self.compact = Some((CompactHistogram::new(&open), open.value_at_quantile(0.99)));
        }
    }

    fn p99(&self) -> Option<u64> {
        match (&self.open, &self.compact) {
            (Some(open), _) => Some(open.value_at_quantile(0.99)),
            (None, Some((_, p99))) => Some(*p99),
            (None, None) => None,
        }
    }

    /// Of a slice that is `length` long, `sending` of it with clients that send.
    fn figures(mut self, start: Duration, length: Duration, sending: Duration) -> SliceFigures {
        self.compact();
        let share = |integral: u64| match sending.as_nanos() {
            0 => 0.0,
            sending => integral as f64 / sending as f64,
        };
        let samples = self.pool.len() as f64;
        let mean = |of: fn(&PoolUse) -> u32| self.pool.iter().map(|pool| f64::from(of(pool))).sum::<f64>() / samples;
        SliceFigures {
            start,
            length,
            operations: self.counts.operations,
            errors: self.counts.errors,
            skipped: self.counts.skipped,
            retries: self.counts.retries,
            active_clients: share(self.active_ns),
            connected_clients: share(self.connected_ns),
            pool: (samples > 0.0)
                .then(|| [mean(|pool| pool.in_use), mean(|pool| pool.idle), mean(|pool| pool.waiting)]),
            response: self.compact.map(|(response, _)| response).unwrap_or_default(),
        }
    }
}
