//! The managed server while a use case works with it: a mishap ends all work at once.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Error, Event, Events,
    managed::{self, Lease},
};
use crate::server::{Abandoned, Mishap};

/// How often the server is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How long the postmaster may take to say why a connection was lost.
const SAYS_WHY: Duration = Duration::from_secs(1);

/// How long the recovery from a crash is waited for.
const RECOVERY: Duration = Duration::from_secs(20);

/// How often it is looked whether that is over.
const PAUSE: Duration = Duration::from_millis(20);

/// A lease on the managed server, until it is taken back, and what befell the server.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched {
    lease: Arc<Mutex<Option<Lease>>>,
    mishap: Arc<OnceLock<Mishap>>,
}

impl Watched {
    /// Watches the server from a task on the calling runtime; what befalls it is told, and cancels `stop`.
    pub(super) fn new(lease: Lease, events: Arc<dyn Events>, stop: CancellationToken) -> Self {
        let watched = Self { lease: Arc::new(Mutex::new(Some(lease))), mishap: Arc::default() };
        let watching = watched.clone();
        tokio::spawn(async move {
            while watching.lease().is_some() {
                if let Some(mishap) = watching.look() {
                    events.event(Event::Step(mishap.to_string()));
                    stop.cancel();
                    return;
                }
                sleep(LOOK).await;
            }
        });
        watched
    }

    fn lease(&self) -> MutexGuard<'_, Option<Lease>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lease back.
    pub(super) fn take(&self) -> Option<Lease> {
        self.lease().take()
    }

    /// What has befallen the server, as far as it is known by now.
    pub(super) fn look(&self) -> Option<Mishap> {
        if let Some(mishap) = self.lease().as_mut().and_then(Lease::look) {
            let _ = self.mishap.set(mishap);
        }
        self.mishap.get().cloned()
    }

    /// [`look`](Self::look) after a connection was lost, which the server may not have explained yet.
    pub(super) async fn look_for_reason(&self) -> Option<Mishap> {
        let begin = Instant::now();
        loop {
            let found = self.look();
            if found.is_some() || self.lease().is_none() || begin.elapsed() > SAYS_WHY {
                return found;
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until the server has recovered from a crash, unless that takes too long. Whether it has.
    pub(super) async fn recovers(&self, events: &dyn Events) -> bool {
        let is_over = || self.lease().as_ref().is_none_or(|lease| !lease.is_recovering());
        if is_over() {
            return true;
        }
        events.event(Event::Step("waiting until the server has recovered from the crash".to_owned()));
        let begin = Instant::now();
        while begin.elapsed() < RECOVERY {
            sleep(PAUSE).await;
            if is_over() {
                return true;
            }
        }
        false
    }

    /// Starts the server again, after its postmaster has ended.
    ///
    /// # Errors
    /// It does not start, or `cancel` was cancelled.
    pub(super) async fn start_again(&self, events: &dyn Events, cancel: &CancellationToken) -> Result<(), Error> {
        let Some(lease) = self.take() else { return Ok(()) };
        events.event(Event::Step("starting the server again".to_owned()));
        *self.lease() = Some(managed::restart(lease, events, cancel).await?);
        Ok(())
    }

    /// What has to be done for the server if this process ends at once.
    pub(super) fn abandoned(&self) -> Option<Abandoned> {
        self.lease().as_ref().and_then(Lease::abandoned)
    }
}
