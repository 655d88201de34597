//! Where a use case works: the managed server, held for as long as the use case runs, or a given one.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    Error, ErrorKind, Event, Events,
    managed::{self, Lease, Options},
};
use crate::pg::Connector;

/// Where to work.
#[derive(Debug, Clone)]
pub enum Place {
    /// latclinic's own server.
    Managed(Options),
    /// A server that somebody else runs.
    Given(Connector),
}

/// Where to work, whom to tell, when to stop.
pub struct Clinic {
    connector: Connector,
    events: Arc<dyn Events>,
    stop: CancellationToken,
    lease: Mutex<Option<Lease>>,
}

impl Place {
    /// The server that a URL names; what it leaves out comes from libpq's `PG*` variables, except the host.
    ///
    /// # Errors
    /// The URL does not parse or asks for what is not supported. The message does not repeat it.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let environment = |name: &str| std::env::var(name).ok();
        Connector::from_url(url, &environment).map(Self::Given).map_err(|error| {
            let hint = error.hint().unwrap_or("write it as postgresql://user@host:5432/database").to_owned();
            Error::new(ErrorKind::Usage, error.to_string()).with_hint(hint)
        })
    }
}

impl Clinic {
    /// At a server that somebody else runs.
    pub fn given(connector: Connector, events: Arc<dyn Events>, stop: CancellationToken) -> Self {
        Self { connector: connector.until(stop.clone()), events, stop, lease: Mutex::new(None) }
    }

    /// Reaches the place for `command` (`latclinic run`); starts the managed server if that is the place and it does not run.
    ///
    /// # Errors
    /// The managed server cannot be had, or `stop` was cancelled while another latclinic was waited for.
    pub async fn open(
        place: Place,
        command: &str,
        events: Arc<dyn Events>,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        match place {
            Place::Given(connector) => Ok(Self::given(connector, events, stop)),
            Place::Managed(options) => {
                let lease = managed::lease(options, command, &*events, &stop).await?;
                let connector = managed::connector(lease.running()).until(stop.clone());
                Ok(Self { connector, events, stop, lease: Mutex::new(Some(lease)) })
            }
        }
    }

    /// Gives the managed server back; stops it if this clinic started it.
    ///
    /// # Errors
    /// The server does not stop.
    pub async fn close(&self) -> Result<(), Error> {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner).take();
        match lease {
            Some(lease) => managed::release(lease, &*self.events).await,
            None => Ok(()),
        }
    }

    /// How to reach the database.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Tells a fact worth a line of its own.
    pub fn note(&self, text: impl Into<String>) {
        self.events.event(Event::Note(text.into()));
    }

    pub(super) fn events(&self) -> &Arc<dyn Events> {
        &self.events
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    pub(super) fn step(&self, text: impl Into<String>) {
        self.events.event(Event::Step(text.into()));
    }

    /// # Errors
    /// That it was told to stop.
    pub(super) fn check_stop(&self) -> Result<(), Error> {
        if self.stop.is_cancelled() { Err(Error::new(ErrorKind::Interrupted, "interrupted")) } else { Ok(()) }
    }
}

impl fmt::Debug for Clinic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clinic").field("connector", &self.connector).finish_non_exhaustive()
    }
}
