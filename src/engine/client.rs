//! One client: the loop that is measured.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    crew::after_the_others,
    recorder::Recorder,
    target::{Failure, FailureKind, Session, Steps},
};
use crate::load::{Operation, WARM_UP, Workload};

/// Executions of every statement on every connection before the measured window: PostgreSQL chooses between custom and
/// generic plans after the fifth.
pub(super) const WARM_EXECUTIONS: u64 = 5;

/// What the clients of a thread share. Times are nanoseconds since the epoch.
pub(super) struct Course {
    pub(super) epoch: Instant,
    /// Begin of the measured window; `u64::MAX` until it is known.
    pub(super) begin: Cell<u64>,
    /// End of the sending; `u64::MAX` until it is known.
    pub(super) end: Cell<u64>,
    /// Clients that have not executed every statement often enough.
    pub(super) cold: Cell<u32>,
    /// Told when there are no cold clients any more.
    pub(super) warm: Notify,
    pub(super) recorder: RefCell<Recorder>,
}

/// What a client has in flight, seen from outside.
#[derive(Default)]
pub(super) struct Flight(Cell<Option<Flown>>);

/// An operation in flight.
#[derive(Clone, Copy)]
pub(super) struct Flown {
    pub(super) statement: usize,
    pub(super) intended: u64,
    pub(super) measured: bool,
}

/// One client with its session.
pub(super) struct Client<S> {
    pub(super) number: u32,
    pub(super) clients: u32,
    pub(super) session: S,
    pub(super) workload: Arc<Workload>,
    pub(super) course: Rc<Course>,
    pub(super) flight: Rc<Flight>,
}

impl Course {
    /// Nanoseconds since the epoch.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        // 64 bits of nanoseconds are 584 years.
        Instant::now().duration_since(self.epoch).as_nanos() as u64
    }

    /// Sets the measured window.
    pub(super) fn open(&self, begin: u64, end: u64) {
        self.recorder.borrow_mut().open(begin, end);
        self.begin.set(begin);
        self.end.set(end);
    }
}

impl Flight {
    pub(super) fn current(&self) -> Option<Flown> {
        self.0.get()
    }
}

impl<S: Session> Client<S> {
    /// Sends until the end of the window; returns why when the connection is lost.
    pub(super) async fn run(mut self) -> Option<Failure> {
        let mut operation = Operation::default();
        let mut steps = Steps::default();
        let warm_executions = WARM_EXECUTIONS * self.workload.scripts() as u64;
        let mut warmed = 0;
        let mut measured_operations = 0;
        let mut now = self.course.now();
        while now < self.course.end.get() {
            let measured = now >= self.course.begin.get();
            if measured {
                self.workload.fill(self.number_of(measured_operations), &mut operation);
                measured_operations += 1;
            } else {
                let number = WARM_UP | self.number_of(warmed);
                if warmed < warm_executions {
                    let script = warmed as usize % self.workload.scripts();
                    self.workload.fill_script(number, script, &mut operation);
                } else {
                    self.workload.fill(number, &mut operation);
                }
            }
            // What lies between is ours, and the operation was due.
            let sent = now;
            self.flight.0.set(Some(Flown { statement: operation.script, intended: sent, measured }));
            let outcome = match self.session.acquire().await {
                Ok(()) => self.session.execute(&operation, &mut steps).await,
                Err(failure) => Err(failure),
            };
            now = self.course.now();
            self.flight.0.set(None);
            if measured {
                self.course.recorder.borrow_mut().note(operation.script, now, now - sent, &outcome);
            } else {
                warmed += 1;
                if warmed == warm_executions {
                    self.warmed_up();
                }
            }
            match outcome {
                Err(failure) if failure.kind == FailureKind::Connection => return Some(failure),
                // Even if the answer was there at once, the other clients of the thread come first.
                _ => after_the_others().await,
            }
        }
        None
    }

    fn warmed_up(&self) {
        self.course.cold.set(self.course.cold.get() - 1);
        if self.course.cold.get() == 0 {
            self.course.warm.notify_one();
        }
    }

    fn number_of(&self, nth: u64) -> u64 {
        nth * u64::from(self.clients) + u64::from(self.number)
    }
}
