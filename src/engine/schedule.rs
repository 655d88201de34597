//! The arrivals of an open load, handed out to whichever client is free.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::load::{Arrivals, Load};

/// The arrivals of an open load. All threads take from one: whichever client is free has the next.
#[derive(Debug)]
pub(super) struct Schedule(Mutex<Courses>);

#[derive(Debug)]
struct Courses {
    warm_up: Arrivals,
    window: Arrivals,
    /// Begin of the measured window; nanoseconds since the epoch, as all times here.
    begin: Option<u64>,
}

/// An operation that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) number: u64,
    pub(super) due: u64,
    pub(super) measured: bool,
}

impl Schedule {
    /// Of an open load.
    pub(super) fn new(load: &Load) -> Option<Self> {
        let courses = Courses { warm_up: load.warm_up_arrivals()?, window: load.arrivals()?, begin: None };
        Some(Self(Mutex::new(courses)))
    }

    /// Sets the begin of the measured window. Arrivals of the warm-up that were handed out for later are void.
    pub(super) fn open(&self, begin: u64) {
        self.lock().begin = Some(begin);
    }

    /// The next arrival. In the warm-up the next one that is not over: nobody has to catch up with it.
    pub(super) fn take(&self, now: u64) -> Option<Arrival> {
        let mut courses = self.lock();
        match courses.begin {
            Some(begin) if begin <= now => courses.next_measured(),
            begin => {
                let (number, due) = courses.warm_up.find(|(_, due)| *due >= now)?;
                match begin {
                    Some(begin) if begin <= due => courses.next_measured(),
                    _ => Some(Arrival { number, due, measured: false }),
                }
            }
        }
    }

    /// Visits the arrivals that are due before `until` and that nobody took.
    pub(super) fn visit_untaken(&self, until: u64, mut visit: impl FnMut(Arrival)) {
        let mut courses = self.lock();
        while let Some(arrival) = courses.next_measured().filter(|arrival| arrival.due < until) {
            visit(arrival);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Courses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Courses {
    fn next_measured(&mut self) -> Option<Arrival> {
        let begin = self.begin?;
        let (number, after) = self.window.next()?;
        Some(Arrival { number, due: begin + after, measured: true })
    }
}
