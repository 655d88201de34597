//! One client: the loop that is measured.

use std::{rc::Rc, sync::Arc};

use super::{
    course::{Course, Flight, Shared},
    crew::after_the_others,
    flown::Flown,
    recorder::Done,
    schedule::{Arrival, Schedule},
    target::{Failure, FailureKind, Session, Steps, Target},
};
use crate::load::{Operation, WARM_UP};

/// Executions of every script on every connection before the measured window, or, where the time of the warm-up is over, plannings:
/// PostgreSQL chooses between custom and generic plans after it has planned a statement five times.
pub const WARM_EXECUTIONS: u64 = 5;

/// Longest wait without a look at what has become of the window, in nanoseconds: shorter than the notice it is given.
pub(super) const LOOK_AGAIN: u64 = 5_000_000;

/// Pause before the first attempt to connect again, in nanoseconds; doubled with each up to the longest.
const FIRST_PAUSE: u64 = 10_000_000;
const LONGEST_PAUSE: u64 = 1_000_000_000;

/// Longest wait while the window is not known yet, where nothing depends on its begin.
const LOOK_FOR_END: u64 = 100_000_000;

/// Arrivals that are skipped before the other clients of the thread have their turn.
const SKIPS_AT_ONCE: u32 = 64;

/// One client.
pub(super) struct Client<T: Target> {
    number: u32,
    target: Arc<T>,
    course: Rc<Course>,
    flight: Rc<Flight>,
    /// Operations of the warm-up so far.
    warmed: u64,
    /// Measured operations so far, in a closed load.
    measured: u64,
    /// Number of the last operation, in a closed load.
    last: Option<u64>,
    /// Whether it counts as a client that sends.
    active: bool,
    /// Nanoseconds since the epoch when the client was last known to be free.
    now: u64,
}

/// An operation that is due.
#[derive(Clone, Copy)]
struct Turn {
    number: u64,
    /// The script, where it is not the mix that chooses it.
    script: Option<usize>,
    due: u64,
    measured: bool,
}

/// When a client of a closed load with stages may send.
enum Allowed {
    At(u64),
    /// Once the window has begun, which it has no time for yet.
    Later,
    Never,
}

impl<T: Target> Client<T> {
    pub(super) fn new(number: u32, target: Arc<T>, course: Rc<Course>, flight: Rc<Flight>) -> Self {
        Self { number, target, course, flight, warmed: 0, measured: 0, last: None, active: false, now: 0 }
    }

    /// Sends until there is nothing more to send. A lost session is replaced.
    pub(super) async fn run(mut self, mut session: T::Session) {
        let course = Rc::clone(&self.course);
        let mut operation = Operation::default();
        let mut steps = Steps::default();
        let mut skipped = 0;
        self.now = course.now();
        *self.flight.cancellation.borrow_mut() = Some(session.cancellation());
        course.recorder.borrow_mut().change(self.now, 0, 1);
        self.set_active(course.shared.schedule.is_none());
        while let Some(turn) = self.turn().await {
            match turn.script {
                Some(script) => course.shared.workload.fill_script(turn.number, script, &mut operation),
                None => course.shared.workload.fill(turn.number, &mut operation),
            }
            if self.gives_up(&turn, &operation) {
                skipped += 1_u32;
                self.now = course.now();
                if skipped.is_multiple_of(SKIPS_AT_ONCE) {
                    after_the_others().await;
                }
                continue;
            }
            let outcome = match self.plan_only(&mut session, &turn, &operation).await {
                Ok(true) => Ok(()),
                Ok(false) => self.perform(&mut session, &turn, &operation, &mut steps).await,
                Err(failure) => Err(failure),
            };
            match outcome {
                Err(failure) if failure.kind == FailureKind::Connection => {
                    drop(session);
                    match self.reconnect(&failure).await {
                        Some(new) => session = new,
                        None => return,
                    }
                }
                // Even if the answer was there at once, the other clients of the thread come first.
                _ => after_the_others().await,
            }
        }
        self.set_active(false);
        course.recorder.borrow_mut().change(self.now, 0, -1);
    }

    /// Executes an operation, again where that may help, and notes what came of it.
    #[inline]
    async fn perform(
        &mut self,
        session: &mut T::Session,
        turn: &Turn,
        operation: &Operation,
        steps: &mut Steps,
    ) -> Result<(), Failure> {
        let course = Rc::clone(&self.course);
        let is_open = course.shared.schedule.is_some();
        if is_open {
            self.set_active(true);
        }
        let begun = self.now;
        steps.clear();
        let mut flown = Flown {
            script: operation.script,
            due: turn.due,
            begun,
            wait: 0,
            sent: Some(begun).filter(|_| !course.shares),
            tries: 1,
            measured: turn.measured,
        };
        self.flight.set(flown);
        let mut tried = begun;
        let outcome = loop {
            let acquired = session.acquire().await;
            if course.shares {
                let now = course.now();
                flown.wait += now - tried;
                flown.sent = acquired.is_ok().then_some(now);
                self.flight.set(flown);
            }
            let outcome = match acquired {
                Ok(()) => session.execute(operation, steps).await,
                Err(failure) => Err(failure),
            };
            match &outcome {
                Err(failure) if failure.is_transient() && flown.tries <= course.shared.load.retries => {
                    tried = course.now();
                    flown.tries += 1;
                    flown.sent = Some(tried).filter(|_| !course.shares);
                    self.flight.set(flown);
                }
                _ => break outcome,
            }
        };
        self.now = course.now();
        self.flight.end();
        if is_open {
            self.set_active(false);
        }
        if turn.measured {
            let done = Done::new(&flown, self.now);
            course.recorder.borrow_mut().note(&done, &outcome, steps);
        } else {
            self.warmed_one();
        }
        outcome
    }

    /// Spares the rest of a warm-up whose time is over the executions that only settle how a statement is planned. Whether it did; each
    /// script is executed at least once.
    async fn plan_only(
        &mut self,
        session: &mut T::Session,
        turn: &Turn,
        operation: &Operation,
    ) -> Result<bool, Failure> {
        let Shared { load, workload, .. } = &*self.course.shared;
        let is_over = u128::from(self.now) >= load.warmup.as_nanos();
        if turn.measured || turn.script.is_none() || !is_over || self.warmed < workload.scripts() as u64 {
            return Ok(false);
        }
        let planned = session.plan(operation).await;
        if !matches!(planned, Ok(false)) {
            self.now = self.course.now();
            self.warmed_one();
        }
        planned
    }

    /// Waits until the next operation is due; `None` when there is none any more.
    #[inline]
    async fn turn(&mut self) -> Option<Turn> {
        let course = Rc::clone(&self.course);
        // An open load sends what was due until the end, however late.
        if course.stopped.get() || course.shared.schedule.is_none() && course.is_over(self.now) {
            return None;
        }
        let measured = self.now >= course.begin.get();
        if !measured && self.warmed < self.warm_executions() {
            let number = WARM_UP | self.number_of(self.warmed);
            let script = self.warmed % course.shared.workload.scripts() as u64;
            return Some(Turn { number, script: Some(script as usize), due: self.now, measured });
        }
        match &course.shared.schedule {
            Some(schedule) => self.arrival(schedule).await,
            None if course.pauses.is_none() && course.shared.load.stages.is_empty() => Some(self.next(self.now)),
            None => self.after_pause().await,
        }
    }

    /// In an open load: the next arrival.
    async fn arrival(&mut self, schedule: &Schedule) -> Option<Turn> {
        let course = Rc::clone(&self.course);
        'arrivals: loop {
            let Some(Arrival { number, due, measured }) = schedule.take(self.now) else {
                // Nothing more is due, but the window lasts, and the session with it.
                while !course.is_over(self.now) {
                    course.until(course.end.get().min(self.now + LOOK_FOR_END)).await;
                    self.now = course.now();
                }
                return None;
            };
            if due <= self.now {
                // The other clients have had their turn since.
                self.now = course.now();
            }
            while self.now < due {
                let is_settled = measured || course.begin.get() != u64::MAX;
                course.until(if is_settled { due } else { due.min(self.now + LOOK_AGAIN) }).await;
                self.now = course.now();
                if course.stopped.get() {
                    return None;
                }
                if !measured && course.begin.get() <= due {
                    // The window has taken its place.
                    continue 'arrivals;
                }
            }
            return Some(Turn { number, script: None, due, measured });
        }
    }

    /// In a closed load with think time or stages: this client's next operation, when its pause is over and the stage wants it.
    async fn after_pause(&mut self) -> Option<Turn> {
        let course = Rc::clone(&self.course);
        let pause = match (&course.pauses, self.last) {
            (Some(pauses), Some(last)) => pauses.after(last).as_nanos() as u64,
            _ => 0,
        };
        let mut due = self.now.saturating_add(pause);
        loop {
            if course.is_over(self.now) {
                return None;
            }
            self.set_active(matches!(self.allowed(self.now), Allowed::At(at) if at <= self.now));
            let longest = match self.allowed(due) {
                Allowed::Never => return None,
                Allowed::Later => {
                    due = self.now + LOOK_AGAIN;
                    LOOK_AGAIN
                }
                Allowed::At(at) => {
                    due = at;
                    if due <= self.now {
                        return Some(self.next(due));
                    }
                    LOOK_FOR_END
                }
            };
            let latest = match course.end.get() {
                u64::MAX => self.now + longest,
                // It may still be moved.
                end if course.shared.load.enough.is_some() => end.min(self.now + LOOK_FOR_END),
                end => end,
            };
            course.until(due.min(latest)).await;
            self.now = course.now();
        }
    }

    /// In a closed load: when this client may send, from `moment` on. Until the window begins those clients send that it begins
    /// with.
    fn allowed(&self, moment: u64) -> Allowed {
        let course = &self.course;
        let begin = course.begin.get();
        if course.shared.load.stages.is_empty()
            || moment < begin && self.number < course.profile.initial().round() as u32
        {
            return Allowed::At(moment);
        }
        if begin == u64::MAX {
            return Allowed::Later;
        }
        match course.profile.next_active(self.number, moment.saturating_sub(begin)) {
            Some(after) => Allowed::At(begin + after),
            None => Allowed::Never,
        }
    }

    /// In a closed load: this client's next operation.
    fn next(&mut self, due: u64) -> Turn {
        let measured = due >= self.course.begin.get();
        let number = if measured {
            self.measured += 1;
            self.number_of(self.measured - 1)
        } else {
            WARM_UP | self.number_of(self.warmed)
        };
        self.last = Some(number);
        Turn { number, script: None, due, measured }
    }

    /// Whether an arrival has waited too long to be sent; it is counted then.
    fn gives_up(&self, turn: &Turn, operation: &Operation) -> bool {
        let Some(limit) = self.course.shared.load.latency_limit().filter(|_| turn.measured) else { return false };
        let waited = self.now - turn.due;
        if u128::from(waited) <= limit.as_nanos() {
            return false;
        }
        self.course.recorder.borrow_mut().skip(operation.script, turn.due, self.now);
        true
    }

    /// Connects again, however often it takes; `None` when the load is over before.
    async fn reconnect(&mut self, failure: &Failure) -> Option<T::Session> {
        let course = Rc::clone(&self.course);
        let since = self.now;
        self.flight.lost_since.set(Some(since));
        course.lost(since, failure);
        let mut pause = FIRST_PAUSE;
        let found = loop {
            self.now = course.now();
            if course.is_over(self.now) {
                break None;
            }
            match self.target.connect(self.number).await {
                Ok(session) => break Some(session),
                Err(failure) => course.still_lost(course.now(), &failure),
            }
            let next = course.now() + pause;
            course.until(next.min(course.end.get())).await;
            pause = LONGEST_PAUSE.min(2 * pause);
        };
        self.now = course.now();
        if found.is_some() {
            self.flight.lost_since.set(None);
            course.was_without(since, self.now);
        }
        match &found {
            Some(session) => {
                course.reconnected(self.now);
                if self.warmed < self.warm_executions() {
                    // This connection has executed nothing yet.
                    self.warmed = 0;
                }
                *self.flight.cancellation.borrow_mut() = Some(session.cancellation());
            }
            None => self.set_active(false),
        }
        found
    }

    fn set_active(&mut self, active: bool) {
        if self.active != active {
            self.active = active;
            self.course.recorder.borrow_mut().change(self.now, if active { 1 } else { -1 }, 0);
        }
    }

    fn warm_executions(&self) -> u64 {
        WARM_EXECUTIONS * self.course.shared.workload.scripts() as u64
    }

    /// Counts an operation of the warm-up.
    fn warmed_one(&mut self) {
        self.warmed += 1;
        if self.warmed == self.warm_executions() {
            self.warmed_up();
        }
    }

    fn warmed_up(&self) {
        self.course.cold.set(self.course.cold.get() - 1);
        if self.course.cold.get() == 0 {
            self.course.warm.notify_one();
        }
    }

    fn number_of(&self, nth: u64) -> u64 {
        nth * u64::from(self.course.shared.load.clients) + u64::from(self.number)
    }
}
