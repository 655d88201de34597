//! What a sending thread notes of each operation.
//!
//! A thread notes into lists and histograms of its own. Every quarter of a second it hands them over whole and goes on with empty ones,
//! so that merging, compacting and percentiles cost the sending threads nothing.

use std::{collections::BTreeMap, mem, sync::mpsc::Receiver};

use super::{
    flown::Flown,
    target::{Failure, FailureKind, Steps},
    times::Times,
};
use crate::load::{Load, Profile, Workload};

/// Parts in a slice of a second.
pub(super) const PARTS_IN_SLICE: u64 = 4;

/// Length of a part in nanoseconds.
pub(super) const PART_NS: u64 = 1_000_000_000 / PARTS_IN_SLICE;

/// What there is to note: histograms take memory, and most loads need few.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    scripts: usize,
    statements: usize,
    /// Whether service time and lag differ from response time and 0.
    apart: bool,
    /// Whether connections are waited for.
    wait: bool,
    latency_limit: u64,
    profile: Profile,
}

impl Layout {
    /// Of a load whose sessions wait for connections or do not.
    pub(super) fn new(load: &Load, workload: &Workload, shares: bool) -> Self {
        Self {
            scripts: workload.scripts(),
            statements: statements_noted(workload),
            apart: shares || load.is_open() || load.retries > 0 || load.pauses().is_some() || !load.stages.is_empty(),
            wait: shares,
            latency_limit: load.latency_limit().map_or(u64::MAX, |limit| limit.as_nanos() as u64),
            profile: load.profile(),
        }
    }
}

/// Statements whose executions are noted: all where there are scripts of several steps; otherwise none, for each is a script.
pub(super) fn statements_noted(workload: &Workload) -> usize {
    let several = (0..workload.scripts()).any(|script| workload.steps(script).len() > 1);
    if several { workload.statements() } else { 0 }
}

/// What one thread noted in one quarter of a second.
pub(super) struct Part {
    /// Quarter of a second of the window, from 0.
    pub(super) index: u64,
    /// Stage of the load.
    pub(super) stage: usize,
    /// By script, in the order of the workload.
    pub(super) scripts: Vec<Tally>,
    /// By statement, in the order of the workload, where there are scripts of several steps.
    pub(super) steps: Vec<StepTally>,
    /// Integral of the number of active clients, in nanoseconds.
    pub(super) active_ns: u64,
    /// Integral of the number of clients with a session, in nanoseconds.
    pub(super) connected_ns: u64,
}

/// What was noted of one script.
pub(super) struct Tally {
    pub(super) operations: u64,
    pub(super) skipped: u64,
    pub(super) late: u64,
    pub(super) retries: u64,
    pub(super) response: Times,
    pub(super) apart: Option<Apart>,
    pub(super) wait: Option<Times>,
    pub(super) failed: Times,
    pub(super) errors: BTreeMap<String, (u64, String)>,
}

/// Times that differ from response times.
pub(super) struct Apart {
    pub(super) service: Times,
    pub(super) lag: Times,
}

/// What was noted of one statement.
pub(super) struct StepTally {
    pub(super) executions: u64,
    pub(super) errors: u64,
    pub(super) service: Times,
}

/// An operation that ended. Times are nanoseconds since the run's epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) script: usize,
    /// When it was to start.
    pub(super) due: u64,
    /// When a client turned to it.
    pub(super) begun: u64,
    /// How long connections for it were waited for, over all tries.
    pub(super) wait: u64,
    /// When it was sent, the last time; `None` when it never was.
    pub(super) sent: Option<u64>,
    pub(super) end: u64,
    /// How often it was tried.
    pub(super) tries: u32,
}

impl Done {
    /// An operation that was in flight and ended at `end`.
    #[inline]
    pub(super) fn new(flown: &Flown, end: u64) -> Self {
        let Flown { script, due, begun, wait, sent, tries, measured: _ } = *flown;
        Self { script, due, begun, wait, sent, end, tries }
    }
}

impl Part {
    fn new(layout: &Layout) -> Self {
        let apart = || Apart { service: Times::new(), lag: Times::new() };
        let tally = || Tally {
            operations: 0,
            skipped: 0,
            late: 0,
            retries: 0,
            response: Times::new(),
            apart: layout.apart.then(apart),
            wait: layout.wait.then(Times::new),
            failed: Times::new(),
            errors: BTreeMap::new(),
        };
        let step = || StepTally { executions: 0, errors: 0, service: Times::new() };
        Self {
            index: 0,
            stage: 0,
            scripts: (0..layout.scripts).map(|_| tally()).collect(),
            steps: (0..layout.statements).map(|_| step()).collect(),
            active_ns: 0,
            connected_ns: 0,
        }
    }

    /// The part that `after` nanoseconds from the begin of the window belong to.
    pub(super) fn at(layout: &Layout, after: u64) -> Self {
        Self { index: after / PART_NS, stage: layout.profile.stage_at(after), ..Self::new(layout) }
    }

    fn is_empty(&self) -> bool {
        self.active_ns == 0 && self.connected_ns == 0 && self.scripts.iter().all(Tally::is_empty)
    }

    /// Forgets what was noted and keeps the memory.
    pub(super) fn clear(&mut self) {
        (self.active_ns, self.connected_ns) = (0, 0);
        self.scripts.iter_mut().filter(|tally| !tally.is_empty()).for_each(Tally::clear);
        for step in self.steps.iter_mut().filter(|step| step.executions > 0) {
            (step.executions, step.errors) = (0, 0);
            step.service.clear();
        }
    }
}

impl Tally {
    pub(super) fn is_empty(&self) -> bool {
        self.operations == 0 && self.skipped == 0
    }

    fn clear(&mut self) {
        (self.operations, self.skipped, self.late, self.retries) = (0, 0, 0, 0);
        self.response.clear();
        if let Some(apart) = &mut self.apart {
            apart.service.clear();
            apart.lag.clear();
        }
        self.wait.iter_mut().for_each(Times::clear);
        self.failed.clear();
        self.errors.clear();
    }

    /// Notes an arrival that had waited for `waited_ns` when the measurement ended.
    pub(super) fn never_sent(&mut self, waited_ns: u64) {
        self.operations += 1;
        self.response.record(waited_ns);
        if let Some(apart) = &mut self.apart {
            apart.lag.record(waited_ns);
        }
        self.fail(waited_ns, "timeout", || "no client was free before the measurement ended".to_owned());
    }

    fn fail(&mut self, response_ns: u64, code: &str, message: impl FnOnce() -> String) {
        self.failed.record(response_ns);
        match self.errors.get_mut(code) {
            Some((count, _)) => *count += 1,
            None => {
                self.errors.insert(code.to_owned(), (1, message()));
            }
        }
    }
}

/// The notes of one thread. Times are nanoseconds since the run's epoch.
pub(super) struct Recorder {
    layout: Layout,
    part: Part,
    /// When the part has to be handed over.
    part_end: u64,
    /// The measured window; `u64::MAX` until it is known.
    begin: u64,
    end: u64,
    /// When the last operation ended.
    last_end: u64,
    /// When the last operation was sent.
    last_sent: u64,
    active: u32,
    connected: u32,
    /// Up to when the numbers of clients are added up.
    counted: u64,
    /// Parts that were handed over and come back cleared.
    spares: Receiver<Part>,
    hand_over: Box<dyn FnMut(Part)>,
}

impl Recorder {
    /// A recorder whose window is not known yet.
    pub(super) fn new(layout: Layout, spares: Receiver<Part>, hand_over: impl FnMut(Part) + 'static) -> Self {
        Self {
            part: Part::new(&layout),
            layout,
            part_end: u64::MAX,
            begin: u64::MAX,
            end: u64::MAX,
            last_end: 0,
            last_sent: 0,
            active: 0,
            connected: 0,
            counted: 0,
            spares,
            hand_over: Box::new(hand_over),
        }
    }

    /// Sets the measured window.
    pub(super) fn open(&mut self, begin: u64, end: u64) {
        (self.begin, self.end) = (begin, end);
        (self.last_end, self.last_sent, self.counted) = (begin, begin, begin);
        self.enter(begin);
    }

    /// Lets the measured window end at `end` instead, which lies ahead.
    pub(super) fn end_at(&mut self, end: u64) {
        self.end = end;
        self.bound(self.part.index * PART_NS);
    }

    /// Notes an operation.
    #[inline]
    pub(super) fn note(&mut self, done: &Done, outcome: &Result<(), Failure>, steps: &Steps) {
        let Done { script, due, begun, wait: waited, sent, end, tries } = *done;
        self.roll(end);
        self.last_end = end;
        self.last_sent = self.last_sent.max(sent.unwrap_or(0));
        let response = end - due;
        let tally = &mut self.part.scripts[script];
        tally.operations += 1;
        tally.retries += u64::from(tries - 1);
        let timely = match outcome {
            Ok(()) => {
                tally.late += u64::from(response > self.layout.latency_limit);
                true
            }
            Err(failure) => {
                tally.fail(response, failure.code(), || failure.message.clone());
                failure.is_timeout()
            }
        };
        if timely {
            tally.response.record(response);
            if let Some(apart) = &mut tally.apart {
                apart.lag.record(begun - due);
                if let Some(sent) = sent {
                    apart.service.record(end - sent);
                }
            }
            if let Some(wait) = &mut tally.wait {
                wait.record(waited);
            }
        }
        for step in steps.executed() {
            let Some(tally) = self.part.steps.get_mut(step.statement) else { continue };
            tally.executions += 1;
            tally.errors += u64::from(step.failure.is_some());
            if matches!(step.failure, None | Some(FailureKind::Timeout)) {
                tally.service.record(step.service.as_nanos() as u64);
            }
        }
    }

    /// Notes an arrival that was due at `due` and given up at `now`.
    pub(super) fn skip(&mut self, script: usize, due: u64, now: u64) {
        self.roll(now);
        let tally = &mut self.part.scripts[script];
        tally.skipped += 1;
        tally.response.record(now - due);
    }

    /// Notes that from `now` on there are `active` more clients that send, and `connected` more with a session.
    pub(super) fn change(&mut self, now: u64, active: i32, connected: i32) {
        self.roll(now);
        self.count(now);
        self.active = self.active.saturating_add_signed(active);
        self.connected = self.connected.saturating_add_signed(connected);
    }

    /// Hands over the parts that are over at `now`.
    #[inline]
    pub(super) fn roll(&mut self, now: u64) {
        while now >= self.part_end {
            let over = self.part_end;
            self.count(over);
            self.flush();
            self.enter(over);
        }
    }

    /// Hands over the part as it is; what is noted afterwards belongs to the same quarter of a second.
    pub(super) fn flush(&mut self) {
        if self.part.is_empty() {
            return;
        }
        let mut next = self.spares.try_recv().unwrap_or_else(|_| Part::new(&self.layout));
        (next.index, next.stage) = (self.part.index, self.part.stage);
        (self.hand_over)(mem::replace(&mut self.part, next));
    }

    /// Ends the notes at `now`.
    pub(super) fn close(&mut self, now: u64) {
        self.roll(now);
        self.count(now);
        self.flush();
    }

    /// When the last operation ended, and when the last one was sent; the begin of the window when none was.
    pub(super) fn last(&self) -> (u64, u64) {
        (self.last_end, self.last_sent)
    }

    /// Adds up the numbers of clients, within the time of sending.
    fn count(&mut self, now: u64) {
        let now = now.min(self.end);
        if self.begin != u64::MAX && now > self.counted {
            let time = now - self.counted;
            self.part.active_ns += time * u64::from(self.active);
            self.part.connected_ns += time * u64::from(self.connected);
            self.counted = now;
        }
    }

    /// Begins the part that `moment` lies in. What ends after the window belongs to its last part.
    fn enter(&mut self, moment: u64) {
        let at = moment - self.begin;
        self.part.index = at / PART_NS;
        self.part.stage = self.layout.profile.stage_at(at);
        self.bound(at);
    }

    /// Sets the end of the part in hand, which `at` nanoseconds from the begin of the window belong to.
    fn bound(&mut self, at: u64) {
        let last = self.end - self.begin;
        let end = ((self.part.index + 1) * PART_NS).min(self.layout.profile.stage_end(at));
        self.part_end = if end >= last { u64::MAX } else { self.begin + end };
    }
}
