//! What the clients of a thread share, and what is seen of each from outside.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use tokio::{sync::Notify, time::Instant};

use super::{crew, measurement::ConnectionFigures, recorder::Recorder, schedule::Schedule, target::Failure};
use crate::{
    engine::flown::Flown,
    load::{Load, Pauses, Profile, Workload},
};

/// What all threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) load: Load,
    pub(super) workload: Arc<Workload>,
    /// Of an open load.
    pub(super) schedule: Option<Schedule>,
    /// Clients without a session.
    pub(super) disconnected: AtomicU32,
}

/// How clients wait for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// By the crew, to some microseconds.
    Crew,
    /// By the runtime's timers, whose time tests can set; to a millisecond.
    #[cfg(test)]
    Runtime,
}

/// What the clients of a thread share. Times are nanoseconds since the epoch.
pub(super) struct Course {
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
    pub(super) epoch: Instant,
    /// The load's clients or rate over the window.
    pub(super) profile: Profile,
    pub(super) pauses: Option<Pauses>,
    /// Whether sessions wait for what they execute on.
    pub(super) shares: bool,
    /// Begin of the measured window; `u64::MAX` until it is known.
    pub(super) begin: Cell<u64>,
    /// End of the sending; `u64::MAX` until it is known.
    pub(super) end: Cell<u64>,
    /// Whether stopped by a signal.
    pub(super) stopped: Cell<bool>,
    /// Clients that have not executed every script often enough.
    pub(super) cold: Cell<u32>,
    /// Told when there are no cold clients any more.
    pub(super) warm: Notify,
    pub(super) recorder: RefCell<Recorder>,
    pub(super) losses: RefCell<ConnectionFigures>,
}

impl Course {
    /// Nanoseconds since the epoch.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        // 64 bits of nanoseconds are 584 years.
        Instant::now().duration_since(self.epoch).as_nanos() as u64
    }

    /// Waits until `moment`.
    pub(super) async fn until(&self, moment: u64) {
        let at = self.epoch + Duration::from_nanos(moment);
        match self.clock {
            Clock::Crew => crew::until(at.into_std()).await,
            #[cfg(test)]
            Clock::Runtime => tokio::time::sleep_until(at).await,
        }
    }

    /// Sets the measured window.
    pub(super) fn open(&self, begin: u64, end: u64) {
        self.recorder.borrow_mut().open(begin, end);
        self.begin.set(begin);
        self.end.set(end);
    }

    /// Lets the measured window end at `end`, which is earlier than it was to be and lies ahead.
    pub(super) fn end_at(&self, end: u64) {
        self.recorder.borrow_mut().end_at(end);
        self.end.set(end);
    }

    /// Whether sending is over at `now`.
    pub(super) fn is_over(&self, now: u64) -> bool {
        self.stopped.get() || now >= self.end.get()
    }

    /// Whether `moment` lies in the measured window.
    pub(super) fn is_measured(&self, moment: u64) -> bool {
        moment >= self.begin.get() && moment < self.end.get()
    }

    /// Notes that a client has lost its session.
    pub(super) fn lost(&self, now: u64, failure: &Failure) {
        self.shared.disconnected.fetch_add(1, Ordering::Relaxed);
        self.recorder.borrow_mut().change(now, 0, -1);
        if self.is_measured(now) {
            let mut losses = self.losses.borrow_mut();
            losses.lost += 1;
            losses.sample.get_or_insert_with(|| failure.to_string());
        }
    }

    /// Notes that a client could not connect again.
    pub(super) fn still_lost(&self, now: u64, failure: &Failure) {
        if self.is_measured(now) {
            let mut losses = self.losses.borrow_mut();
            losses.failed_attempts += 1;
            losses.sample.get_or_insert_with(|| failure.to_string());
        }
    }

    /// Notes that a client that lost its session at `since` has been without one until `now`.
    pub(super) fn was_without(&self, since: u64, now: u64) {
        let within = |moment: u64| moment.clamp(self.begin.get(), self.end.get());
        let without = within(now).saturating_sub(within(since));
        self.losses.borrow_mut().without += Duration::from_nanos(without);
    }

    /// Notes that a client has a session again.
    pub(super) fn reconnected(&self, now: u64) {
        self.shared.disconnected.fetch_sub(1, Ordering::Relaxed);
        self.recorder.borrow_mut().change(now, 0, 1);
        if self.is_measured(now) {
            self.losses.borrow_mut().reconnected += 1;
        }
    }
}

/// What is seen of a client from outside.
#[derive(Default)]
pub(super) struct Flight {
    current: Cell<Option<Flown>>,
    /// Since when the client has been without a session, if it is.
    pub(super) lost_since: Cell<Option<u64>>,
    /// Has the target give up what the client's session executes.
    pub(super) cancellation: RefCell<Option<LocalBoxFuture<'static, ()>>>,
}

impl Flight {
    pub(super) fn set(&self, flown: Flown) {
        self.current.set(Some(flown));
    }

    pub(super) fn end(&self) {
        self.current.set(None);
    }

    pub(super) fn current(&self) -> Option<Flown> {
        self.current.get()
    }
}
