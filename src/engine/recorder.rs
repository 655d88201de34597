//! What a sending thread notes of each operation.
//!
//! A thread notes into histograms of its own. Every quarter of a second it hands them over whole and goes on with empty ones,
//! so that merging, compacting and percentiles cost the sending threads nothing.

use std::{collections::BTreeMap, mem, sync::mpsc::Receiver};

use hdrhistogram::Histogram;

use super::{
    histogram::empty_histogram,
    target::{Failure, FailureKind},
};

/// Parts in a slice of a second.
pub(super) const PARTS_IN_SLICE: u64 = 4;

/// Length of a part in nanoseconds.
pub(super) const PART_NS: u64 = 1_000_000_000 / PARTS_IN_SLICE;

/// What one thread noted in one quarter of a second.
pub(super) struct Part {
    /// Quarter of a second of the window, from 0.
    pub(super) index: u64,
    /// By statement, in the order of the workload.
    pub(super) statements: Vec<Tally>,
}

/// What was noted of one statement.
pub(super) struct Tally {
    pub(super) operations: u64,
    pub(super) response: Histogram<u64>,
    /// Made at the first error: most statements never need it.
    pub(super) failed: Option<Histogram<u64>>,
    pub(super) errors: BTreeMap<String, (u64, String)>,
}

impl Part {
    fn new(statements: usize) -> Self {
        let tally = || Tally { operations: 0, response: empty_histogram(), failed: None, errors: BTreeMap::new() };
        Self { index: 0, statements: (0..statements).map(|_| tally()).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.statements.iter().all(|tally| tally.operations == 0)
    }

    /// Forgets what was noted and keeps the memory.
    pub(super) fn clear(&mut self) {
        for tally in &mut self.statements {
            if tally.operations > 0 {
                tally.operations = 0;
                tally.response.reset();
                tally.failed = None;
                tally.errors.clear();
            }
        }
    }
}

impl Tally {
    fn fail(&mut self, response_ns: u64, failure: &Failure) {
        self.failed.get_or_insert_with(empty_histogram).saturating_record(response_ns);
        match self.errors.get_mut(failure.code()) {
            Some((count, _)) => *count += 1,
            None => {
                self.errors.insert(failure.code().to_owned(), (1, failure.message.clone()));
            }
        }
    }
}

/// The notes of one thread. Times are nanoseconds since the run's epoch.
pub(super) struct Recorder {
    part: Part,
    /// When the part has to be handed over.
    part_end: u64,
    begin: u64,
    /// The last part of the window; what ends later belongs to it too.
    last_part: u64,
    /// When the last operation ended.
    last_end: u64,
    /// Parts that were handed over and come back cleared.
    spares: Receiver<Part>,
    hand_over: Box<dyn FnMut(Part)>,
}

impl Recorder {
    /// A recorder of `statements` statements whose window is not known yet.
    pub(super) fn new(statements: usize, spares: Receiver<Part>, hand_over: impl FnMut(Part) + 'static) -> Self {
        Self {
            part: Part::new(statements),
            part_end: u64::MAX,
            begin: 0,
            last_part: 0,
            last_end: 0,
            spares,
            hand_over: Box::new(hand_over),
        }
    }

    /// Sets the measured window.
    pub(super) fn open(&mut self, begin: u64, end: u64) {
        self.begin = begin;
        self.last_part = (end - begin).div_ceil(PART_NS).saturating_sub(1);
        self.last_end = begin;
        self.enter(0);
    }

    /// Notes an operation that ended at `end` after `response_ns`.
    #[inline]
    pub(super) fn note(&mut self, statement: usize, end: u64, response_ns: u64, outcome: &Result<(), Failure>) {
        if end >= self.part_end {
            self.roll(end);
        }
        self.last_end = end;
        let tally = &mut self.part.statements[statement];
        tally.operations += 1;
        match outcome {
            Ok(()) => tally.response.saturating_record(response_ns),
            Err(failure) => {
                if failure.kind == FailureKind::Timeout {
                    tally.response.saturating_record(response_ns);
                }
                tally.fail(response_ns, failure);
            }
        }
    }

    /// Hands over the part when it is over at `now`.
    pub(super) fn roll(&mut self, now: u64) {
        if now >= self.part_end {
            self.flush();
            self.enter((now - self.begin) / PART_NS);
        }
    }

    /// Hands over the part as it is; what is noted afterwards belongs to the same quarter of a second.
    pub(super) fn flush(&mut self) {
        if self.part.is_empty() {
            return;
        }
        let index = self.part.index;
        let mut next = self.spares.try_recv().unwrap_or_else(|_| Part::new(self.part.statements.len()));
        next.index = index;
        (self.hand_over)(mem::replace(&mut self.part, next));
    }

    /// When the last operation ended; the begin of the window when none has.
    pub(super) fn last_end(&self) -> u64 {
        self.last_end
    }

    fn enter(&mut self, part: u64) {
        self.part.index = part.min(self.last_part);
        self.part_end = if part >= self.last_part { u64::MAX } else { self.begin + (part + 1) * PART_NS };
    }
}
