//! The managed server as the use cases need it: off the runtime's thread, told as events, failing as clinic errors.

use tokio::{sync::mpsc, task};
use tokio_util::sync::CancellationToken;

use super::{Error, ErrorKind, Event, Events};
pub use crate::server::{
    Abandoned, Destroyed, Job, Lease, Options, Reached, Running, Started, Status, psql as psql_command, status,
};
use crate::{
    pg::Connector,
    server::{self, Result as ServerResult},
};

/// Takes the managed server for `command` (`latclinic run`), starting it if it does not run.
///
/// # Errors
/// When there are no binaries, the data folder cannot be used, the server does not start, a running one takes too few
/// connections, or `cancel` was cancelled.
pub async fn lease(
    options: Options,
    command: &str,
    events: &dyn Events,
    cancel: &CancellationToken,
) -> Result<Lease, Error> {
    let (command, cancel) = (command.to_owned(), cancel.clone());
    off_thread(events, move |notes| Lease::acquire(&options, &command, notes, &cancel)).await
}

/// Gives the managed server back; stops it if the lease started it.
///
/// # Errors
/// When it does not stop.
pub async fn release(lease: Lease, events: &dyn Events) -> Result<(), Error> {
    off_thread(events, move |notes| lease.release(notes)).await
}

/// Starts the server of a lease again, after its postmaster has ended.
///
/// # Errors
/// It does not start, or `cancel` was cancelled. The lease is given back then.
pub async fn restart(mut lease: Lease, events: &dyn Events, cancel: &CancellationToken) -> Result<Lease, Error> {
    let cancel = cancel.clone();
    off_thread(events, move |notes| lease.restart(notes, &cancel).map(|()| lease)).await
}

/// How to connect to a managed server.
pub fn connector(running: &Running) -> Connector {
    Connector::managed(&running.socket_dir, running.port, server::USER, server::DATABASE)
}

/// Starts the server and leaves it running.
///
/// # Errors
/// As [`lease`].
pub async fn start(options: Options, events: &dyn Events, cancel: &CancellationToken) -> Result<Started, Error> {
    let cancel = cancel.clone();
    off_thread(events, move |notes| server::start(&options, notes, &cancel)).await
}

/// Stops the server once no command works with it; gives its process id, or none if none ran.
///
/// # Errors
/// When it does not stop, or `cancel` was cancelled while it waited.
pub async fn stop(options: Options, events: &dyn Events, cancel: &CancellationToken) -> Result<Option<u32>, Error> {
    let cancel = cancel.clone();
    off_thread(events, move |notes| server::stop(&options, notes, &cancel)).await
}

/// Stops the server and deletes its data folder; none if there is none.
///
/// # Errors
/// When the folder is not latclinic's, or something cannot be deleted.
pub async fn destroy(
    options: Options,
    events: &dyn Events,
    cancel: &CancellationToken,
) -> Result<Option<Destroyed>, Error> {
    let cancel = cancel.clone();
    off_thread(events, move |notes| server::destroy(&options, notes, &cancel)).await
}

/// Reaches the running server without waiting for the command that works with it, or starts one.
///
/// # Errors
/// As [`lease`].
pub async fn reach(
    options: Options,
    command: &str,
    events: &dyn Events,
    cancel: &CancellationToken,
) -> Result<Reached, Error> {
    let (command, cancel) = (command.to_owned(), cancel.clone());
    off_thread(events, move |notes| server::reach(&options, &command, notes, &cancel)).await
}

/// Runs blocking work on another thread and passes on what it tells while it works.
async fn off_thread<T: Send + 'static>(
    events: &dyn Events,
    work: impl FnOnce(&dyn Fn(&str)) -> ServerResult<T> + Send + 'static,
) -> Result<T, Error> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let work = task::spawn_blocking(move || {
        work(&|note| {
            // A receiver that is gone belongs to a caller who does not want to know any more.
            let _ = tell.send(note.to_owned());
        })
    });
    while let Some(note) = told.recv().await {
        events.event(Event::Note(note));
    }
    match work.await {
        Ok(result) => Ok(result?),
        Err(cause) => Err(Error::new(
            ErrorKind::Failed,
            "the thread that works with the server ended unexpectedly; this is a bug in latclinic",
        )
        .with_source(cause)),
    }
}

impl From<server::Error> for Error {
    fn from(error: server::Error) -> Self {
        let kind = if error.is_interrupted() {
            ErrorKind::Interrupted
        } else if error.is_usage() {
            ErrorKind::Usage
        } else {
            ErrorKind::Failed
        };
        let converted = Self::new(kind, error.to_string()).about(error.fields());
        let converted = match error.hint() {
            Some(hint) => converted.with_hint(hint),
            None => converted,
        };
        match error.into_cause() {
            Some(cause) => converted.with_source(cause),
            None => converted,
        }
    }
}
