//! Sessions that seed, and statements that can be stopped.

use std::{collections::VecDeque, future::Future, sync::Mutex, time::Duration};

use futures_util::future::try_join_all;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::keys::Build;
use crate::pg::link::{
    AFTER_STOP, Fault, Limit, Scope, Theirs, Timeout,
    connector::Connector,
    error::{Error, Result},
    user_session::{Cancellable, UserSession},
};

/// How long the server may take to end what it was told to cancel until it is told again.
const CANCEL_AGAIN: Duration = Duration::from_millis(50);

/// How long a statement of a seed waits for a lock.
pub(crate) const LOCK: Duration = Duration::from_secs(30);

/// Settings that suit building much at once, as far as the role leaves them free.
///
/// Commits wait for the local disk, though one wait at the end would do: VACUUM marks a page all-visible only when the commit
/// of its rows is known to be on disk. So `off` is replaced; what waits for more, because the role, the database or the URL says
/// so, is kept.
fn settings(theirs: &Theirs) -> String {
    let memory = if theirs.sets_maintenance_work_mem() { "" } else { "SET maintenance_work_mem = '256MB'; " };
    let limits = [(Timeout::Statement, None), (Timeout::IdleInTransaction, None), (Timeout::Lock, Some(LOCK))];
    let limits = theirs.set(Scope::Session, &limits);
    let commit = if theirs.sets_synchronous_commit() { "" } else { "SET synchronous_commit = local; " };
    format!("{memory}{limits}{commit}SET client_min_messages = warning")
}

/// Opens a session that resolves names in `schema` and has these settings.
pub(crate) async fn seed_session(connector: &Connector, schema: &str) -> Result<UserSession> {
    let session = UserSession::in_schema(connector, "seed", schema).await?;
    session.set_limit(Limit::Work);
    session.run(&settings(&session.theirs())).await.map_err(not_prepared)?;
    Ok(session)
}

/// [`seed_session`], whose connection for latclinic's own questions has these settings too.
pub(crate) async fn seed_session_and_own(connector: &Connector, schema: &str) -> Result<UserSession> {
    let session = seed_session(connector, schema).await?;
    let own = session.own().await?;
    own.set_limit(Limit::Work);
    own.batch_execute(&settings(&own.theirs())).await.map_err(not_prepared)?;
    Ok(session)
}

fn not_prepared(cause: Fault) -> Error {
    Error::from_server("cannot prepare a session for seeding", cause)
}

/// Runs what `client` is at; when told to stop, has the server cancel it and returns its end.
pub(crate) async fn stoppable<T>(
    client: &impl Cancellable,
    stop: &CancellationToken,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        result = &mut work => return result,
    }
    let cancellation = client.cancellation();
    let patience = Instant::now() + AFTER_STOP;
    loop {
        if Instant::now() >= patience || !cancellation.cancel().await {
            // A server that cannot be told to cancel, or does not, will not be waited for either.
            return Err(Error::stopped());
        }
        // A request that comes between two statements cancels neither.
        if let Ok(result) = timeout(CANCEL_AGAIN, &mut work).await {
            return result.and(Err(Error::stopped()));
        }
    }
}

/// Runs lists of statements, each list in its order, up to `connections` lists at once.
pub(crate) async fn run_lists(
    connector: &Connector,
    schema: &str,
    lists: Vec<Vec<Build>>,
    connections: usize,
    stop: &CancellationToken,
) -> Result<()> {
    let connections = connections.min(lists.len());
    let queue = Mutex::new(VecDeque::from(lists));
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    let worker = || async {
        let session = seed_session(connector, schema).await?;
        while let Some(list) = next() {
            for build in list {
                let run = async {
                    session
                        .run(&build.statement)
                        .await
                        .map_err(|cause| Error::from_server(format!("cannot build {}", build.what), cause))
                };
                stoppable(&session, stop, run).await?;
            }
        }
        Ok(())
    };
    try_join_all((0..connections).map(|_| worker())).await.map(|_| ())
}
