//! Where a use case works: the managed server, held for as long as the use case runs, or a given one.

use std::{fmt, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::{
    Error, ErrorKind, Event, Events,
    managed::{self, Abandoned},
    watched::Watched,
};
use crate::{pg::Connector, server::Options};

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
    /// Cancelled by whoever called, or by a mishap of the managed server.
    stop: CancellationToken,
    /// Cancelled by whoever called.
    told: CancellationToken,
    server: Watched,
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
        Self { connector: connector.until(stop.clone()), events, told: stop.clone(), stop, server: Watched::default() }
    }

    /// Reaches the place for `command` (`latclinic run`); starts the managed server if that is the place and it does not run.
    ///
    /// # Errors
    /// The managed server cannot be had, or `stop` was cancelled while another latclinic was waited for.
    pub async fn open(
        place: Place,
        command: &str,
        events: Arc<dyn Events>,
        told: CancellationToken,
    ) -> Result<Self, Error> {
        match place {
            Place::Given(connector) => Ok(Self::given(connector, events, told)),
            Place::Managed(options) => {
                let lease = managed::lease(options, command, &*events, &told).await?;
                let stop = told.child_token();
                let connector = managed::connector(lease.running()).until(stop.clone());
                let server = Watched::new(lease, Arc::clone(&events), stop.clone());
                Ok(Self { connector, events, stop, told, server })
            }
        }
    }

    /// Gives the managed server back; stops it if this clinic started it.
    ///
    /// # Errors
    /// The server does not stop.
    pub async fn close(&self) -> Result<(), Error> {
        match self.server.take() {
            Some(lease) => managed::release(lease, &*self.events).await,
            None => Ok(()),
        }
    }

    /// What has to be done for the managed server if this process ends at once; `None` if nothing has.
    pub fn abandoned(&self) -> Option<Abandoned> {
        self.server.abandoned()
    }

    /// What has befallen the managed server, unless whoever called wanted the end.
    pub(super) fn mishap(&self) -> Option<String> {
        self.server.look().filter(|_| !self.told.is_cancelled()).map(|mishap| mishap.to_string())
    }

    /// The failure, with what befell the managed server if that is behind it. A server that has crashed is waited for.
    pub async fn explained(&self, error: Error) -> Error {
        if self.told.is_cancelled() || error.is_explained() {
            return error;
        }
        let mishap = if error.is_lost() { self.server.look_for_reason().await } else { self.server.look() };
        let Some(mishap) = mishap else { return error };
        let after = if mishap.has_ended() {
            match self.server.start_again(&*self.events, &self.told).await {
                Ok(()) => "; it was started again".to_owned(),
                Err(error) => format!("; it does not start again: {}", error.words()),
            }
        } else if !mishap.restarts() {
            String::new()
        } else if self.server.recovers(&*self.events).await {
            "; it restarted".to_owned()
        } else {
            "; it has not recovered yet".to_owned()
        };
        let words = match error.kind() {
            ErrorKind::Interrupted => mishap.to_string(),
            _ if error.words().contains(&mishap.to_string()) => error.words(),
            _ => format!("{}; {mishap}", error.words()),
        };
        let hint = error.hint().map_or_else(|| mishap.hint(), |hint| format!("{hint}; {}", mishap.hint()));
        Error::new(ErrorKind::Failed, format!("{words}{after}")).with_hint(hint).explaining()
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
    /// That stopped by a signal.
    pub(super) fn check_stop(&self) -> Result<(), Error> {
        if self.stop.is_cancelled() { Err(Error::new(ErrorKind::Interrupted, "interrupted")) } else { Ok(()) }
    }
}

impl fmt::Debug for Clinic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clinic").field("connector", &self.connector).finish_non_exhaustive()
    }
}
