//! What applying a fix does to others, watched from outside while its statements run: the locks that its session holds, who
//! waits for them, and how long a statement that reads and one that writes take.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};
use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

use super::tables;
use crate::{
    pg::{
        link::{
            Fault, Scope, Timeout,
            connector::Connector,
            error::{Error, Result, server_words},
            user_session::UserSession,
        },
        site::catalog::qualified,
    },
    record::{Applied, LockHeld},
    scenario::Scenario,
    sqltext::quote::quote_literal,
};

/// How long a probe waits for a lock: less than the server, which looks for a deadlock after a second.
const LOCK: Duration = Duration::from_millis(800);
/// Between two looks at the locks, and between two statements of a probe.
const PAUSE: Duration = Duration::from_millis(2);

/// How long a probe's last statement may take once the fix is applied.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process that serves `session`, as `pg_locks` names it.
///
/// # Errors
/// The server cannot be asked.
pub async fn backend(session: &UserSession) -> Result<i32> {
    let failed = |cause| Error::from_server("cannot ask for the session's process", cause);
    let rows = session.ask("SELECT pg_catalog.pg_backend_pid()", &[]).await.map_err(failed)?;
    rows.first().map(|row| row.get(0)).ok_or_else(|| Error::new("cannot ask for the session's process"))
}

/// Watches one application of a fix. Nothing here fails: what cannot be watched is noted.
pub struct Watch {
    size: Sizer,
    before: Option<i64>,
    shared: Arc<Shared>,
    locks: JoinHandle<Locks>,
    reader: JoinHandle<Probed>,
    writer: JoinHandle<Probed>,
    notes: Vec<String>,
}

/// What the watchers are told.
struct Shared {
    /// A permit of each watcher that is connected, or cannot be.
    ready: Semaphore,
    begun: AtomicBool,
    ended: CancellationToken,
}

/// What was seen of the locks.
#[derive(Default)]
struct Locks {
    held: BTreeSet<LockHeld>,
    longest_wait_ms: Option<f64>,
    note: Option<String>,
}

/// What a probe measured.
#[derive(Default)]
struct Probed {
    longest: Option<Duration>,
    note: Option<String>,
}

impl Watch {
    /// Connects the watchers of the session `pid`, which is about to apply the scenario's fix.
    pub async fn connect(connector: &Connector, scenario: &Scenario, pid: i32) -> Self {
        let schema = scenario.schema_name();
        let shared = Arc::new(Shared {
            ready: Semaphore::new(0),
            begun: AtomicBool::new(false),
            ended: CancellationToken::new(),
        });
        let size = Sizer { connector: connector.clone(), schema: schema.clone() };
        let mut notes = Vec::new();
        let before = size.bytes().await.map_err(|error| notes.push(error.to_string())).ok();
        let relations: Vec<String> = tables(scenario).iter().map(|table| qualified(&schema, &table.name)).collect();
        // A plain SELECT locks the table and its indexes as every read does; a DELETE of no rows the table as every write.
        // Neither writes anything, nor keeps a snapshot or a lock for which a concurrent build would have to wait.
        let reads = relations.iter().map(|table| format!("SELECT 1 FROM {table} LIMIT 1")).collect();
        let writes = relations.iter().map(|table| format!("DELETE FROM {table} WHERE false")).collect();
        let locks = tokio::spawn(watch_locks(connector.clone(), schema.clone(), pid, Arc::clone(&shared)));
        let reader = tokio::spawn(probe(connector.clone(), schema.clone(), "read", reads, Arc::clone(&shared)));
        let writer = tokio::spawn(probe(connector.clone(), schema.clone(), "write", writes, Arc::clone(&shared)));
        // Nothing closes it.
        let _ = shared.ready.acquire_many(3).await;
        Self { size, before, shared, locks, reader, writer, notes }
    }

    /// The first statement begins: from now on what is seen counts.
    pub fn begin(&self) {
        self.shared.begun.store(true, Ordering::Relaxed);
    }

    /// Tells what was seen. `build` is the sum of the statements' times.
    pub async fn end(mut self, build: Duration) -> Applied {
        self.shared.ended.cancel();
        let locks = ended(self.locks, &mut self.notes).await;
        let (reader, writer) = (ended(self.reader, &mut self.notes).await, ended(self.writer, &mut self.notes).await);
        let after = self.size.bytes().await.map_err(|error| self.notes.push(error.to_string())).ok();
        self.notes.extend([locks.note, reader.note, writer.note].into_iter().flatten());
        let milliseconds = |longest: Duration| longest.as_secs_f64() * 1e3;
        Applied {
            build_s: build.as_secs_f64(),
            size_bytes: self.before.zip(after).map(|(before, after)| after - before),
            locks: locks.held.into_iter().collect(),
            longest_wait_ms: locks.longest_wait_ms,
            reader_longest_ms: reader.longest.map(milliseconds),
            writer_longest_ms: writer.longest.map(milliseconds),
            notes: self.notes,
        }
    }
}

/// What a watcher has to say, unless it is stuck.
async fn ended<T: Default>(mut watcher: JoinHandle<T>, notes: &mut Vec<String>) -> T {
    match timeout(PATIENCE, &mut watcher).await {
        Ok(Ok(seen)) => seen,
        _ => {
            watcher.abort();
            notes.push("a session that watched the fix did not end, and its figures are lost".to_owned());
            T::default()
        }
    }
}

/// Asks for the size of the scenario's relations.
struct Sizer {
    connector: Connector,
    schema: String,
}

impl Sizer {
    /// Bytes of tables, indexes and TOAST, without latclinic's own.
    async fn bytes(&self) -> Result<i64> {
        let client = self.connector.connect("size").await?;
        let query = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'm') AND c.relname NOT LIKE '\\_latclinic\\_%'";
        let failed = |cause| Error::from_server(format!("cannot ask for the size of {}", self.schema), cause);
        Ok(client.query_one(query, &[&self.schema]).await.map_err(failed)?.get(0))
    }
}

async fn watch_locks(connector: Connector, schema: String, pid: i32, shared: Arc<Shared>) -> Locks {
    let mut seen = Locks::default();
    if let Err(note) = look_again_and_again(&connector, &schema, pid, &shared, &mut seen).await {
        seen.note = Some(format!("the locks of the fix were not watched: {note}"));
    }
    seen
}

async fn look_again_and_again(
    connector: &Connector,
    schema: &str,
    pid: i32,
    shared: &Shared,
    seen: &mut Locks,
) -> std::result::Result<(), String> {
    let connected = connector.connect("locks").await;
    shared.ready.add_permits(1);
    let client = connected.map_err(|error| error.to_string())?;
    let query = format!(
        "SELECT c.relname::text, l.mode, NULL::float8 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
         JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON d.oid = l.database \
         WHERE l.pid = {pid} AND l.granted AND d.datname = current_database() AND n.nspname = {} \
         AND c.relname NOT LIKE '\\_latclinic\\_%' \
         UNION ALL \
         SELECT NULL, NULL, extract(epoch FROM clock_timestamp() - w.waitstart)::float8 * 1000 FROM pg_locks w \
         WHERE NOT w.granted AND w.waitstart IS NOT NULL AND {pid} = ANY (pg_blocking_pids(w.pid))",
        quote_literal(schema)
    );
    let failed = |cause: Fault| server_words(&cause);
    let query = client.prepare(&query).await.map_err(failed)?;
    while !pause(shared).await {
        for row in client.query(&query, &[]).await.map_err(failed)? {
            if !shared.begun.load(Ordering::Relaxed) {
                continue;
            }
            if let (Some(relation), Some(mode)) = (row.get(0), row.get(1)) {
                seen.held.insert(LockHeld { relation, mode });
            }
            if let Some(waited) = row.get::<_, Option<f64>>(2) {
                seen.longest_wait_ms = Some(seen.longest_wait_ms.map_or(waited, |longest| longest.max(waited)));
            }
        }
    }
    Ok(())
}

/// Sends the statements in turn, each a transaction of its own, and times the longest.
async fn probe(
    connector: Connector,
    schema: String,
    what: &'static str,
    statements: Vec<String>,
    shared: Arc<Shared>,
) -> Probed {
    let mut probed = Probed::default();
    let connected = connect_probe(&connector, &schema).await;
    shared.ready.add_permits(1);
    let session = match connected {
        Ok(session) => session,
        Err(error) => {
            probed.note = Some(format!("no {what} was timed while the fix was applied: {error}"));
            return probed;
        }
    };
    for statement in statements.iter().cycle() {
        let sent = Instant::now();
        let outcome = send(&session, statement).await;
        if shared.begun.load(Ordering::Relaxed) {
            probed.longest = probed.longest.max(Some(sent.elapsed()));
            if let Err(cause) = outcome {
                let words = server_words(&cause);
                probed.note.get_or_insert(format!("a {what} failed while the fix was applied: {words}"));
            }
        }
        if session.is_closed() || pause(&shared).await {
            break;
        }
    }
    probed
}

/// A probe gives up a lock before the server looks for a deadlock (a second), so that it can never be what a fix fails by. Its statements
/// name nothing but tables, with their schema; triggers and policies of these run as for the workload.
async fn connect_probe(connector: &Connector, schema: &str) -> Result<UserSession> {
    let session = UserSession::in_schema(connector, "probe", schema).await?;
    let limits = [(Timeout::Lock, Some(LOCK)), (Timeout::Statement, None)];
    let failed = |cause| Error::from_server("cannot set the timeouts of the session", cause);
    session.run(&session.theirs().set(Scope::Session, &limits)).await.map_err(failed)?;
    Ok(session)
}

/// Sends a statement until its locks are free.
async fn send(session: &UserSession, statement: &str) -> std::result::Result<(), Fault> {
    loop {
        match session.run(statement).await {
            Err(cause) if cause.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {}
            outcome => return outcome,
        }
    }
}

/// Rests a moment. Whether the watch has ended.
async fn pause(shared: &Shared) -> bool {
    timeout(PAUSE, shared.ended.cancelled()).await.is_ok()
}
