//! What a write to a table costs: a few rows are inserted, updated and deleted, and taken back.
//!
//! All of it happens in one transaction that is rolled back, so that whatever ends it, nothing of it stays but dead rows, which are
//! vacuumed at once: scans that come next would read them. A commit, and the flush of the disk in it, is the same with the fix and
//! without it and would hide it.

pub(crate) mod attempt;
pub(crate) mod target;
pub(crate) mod vacuum;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{fix, schema, seed_session::stoppable};
use crate::pg::link::{
    Limit, Scope, Theirs, Timeout,
    connector::Connector,
    error::{Error, Result},
    user_session::UserSession,
};
use crate::pg::site::write_probe::{
    attempt::{Attempt, Refused},
    target::Target,
    vacuum::vacuum,
};
use crate::{
    record::{Operation, WriteProbe},
    scenario::{Dataset, Scenario, Table},
};

/// Tables that are probed at most.
const MOST_TABLES: usize = 4;

/// How long a statement may take, and wait for a lock.
const STATEMENT: Duration = Duration::from_secs(10);
const LOCK: Duration = Duration::from_secs(2);

/// Probes the tables that the scenario's fix is about, the largest of them first: a probe for each. Then vacuums them, also when told to
/// stop or when the probe failed.
///
/// # Errors
/// The schema is not the scenario's, the connection breaks, or `stop` was given. What a table refuses is none: its figures
/// are missing, with a note; so is what was not vacuumed.
pub async fn probe_writes(
    connector: &Connector,
    scenario: &Scenario,
    stop: &CancellationToken,
) -> Result<Vec<WriteProbe>> {
    let failed = |cause| Error::from_server("cannot prepare a session for the write probe", cause);
    let limit = Limit::Server(STATEMENT);
    let session = UserSession::in_schema(connector, "write probe", &scenario.schema_name()).await?;
    let own = session.own().await?;
    session.set_limit(limit);
    own.set_limit(limit);
    schema::check(own, scenario).await?;
    let settings = |theirs: Theirs| {
        let limits = [(Timeout::Lock, Some(LOCK)), (Timeout::Statement, Some(STATEMENT))];
        format!("{}SET client_min_messages = warning", theirs.set(Scope::Session, &limits))
    };
    session.run(&settings(session.theirs())).await.map_err(failed)?;
    own.batch_execute(&settings(own.theirs())).await.map_err(failed)?;
    let process = fix::backend(&session).await?;

    let (schema, tables) = (scenario.schema_name(), probed(scenario));
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let probes = probe_tables(&session, &scenario.dataset, &schema, tables, stop).await;
    drop(session);
    let left = vacuum(connector, &schema, &names, process).await.unwrap_or_else(|error| {
        let reason = error.to_string();
        names.iter().map(|name| ((*name).to_owned(), reason.clone())).collect()
    });
    let mut probes = probes?;
    for (table, reason) in left {
        let of_table = probes.iter_mut().find(|probe| probe.table == table);
        let note = format!("the dead rows of the write probe were not vacuumed: {reason}");
        of_table.into_iter().for_each(|probe| probe.notes.push(note.clone()));
    }
    Ok(probes)
}

/// The tables to probe.
fn probed(scenario: &Scenario) -> Vec<&Table> {
    let mut tables = fix::tables(scenario);
    tables.sort_by_key(|table| std::cmp::Reverse(table.rows));
    tables.truncate(MOST_TABLES);
    tables
}

async fn probe_tables(
    session: &UserSession,
    dataset: &Dataset,
    schema: &str,
    tables: Vec<&Table>,
    stop: &CancellationToken,
) -> Result<Vec<WriteProbe>> {
    let mut probes = Vec::new();
    for table in tables {
        probes.push(stoppable(session, stop, probe_table(session, dataset, schema, table)).await?);
    }
    Ok(probes)
}

async fn probe_table(session: &UserSession, dataset: &Dataset, schema: &str, table: &Table) -> Result<WriteProbe> {
    let mut probe = WriteProbe { table: table.name.clone(), ..WriteProbe::default() };
    let mut target = match Target::find(session, dataset, schema, table).await {
        Ok(target) => target,
        Err(error) if error.is_disconnect() => return Err(error),
        Err(error) => {
            probe.notes.push(format!("writes were not measured: {error}"));
            return Ok(probe);
        }
    };
    probe.notes.append(&mut target.notes);
    if target.updated.is_empty() && probe.notes.is_empty() {
        probe.notes.push("updates were not measured: no column beside the key is generated".to_owned());
    }
    loop {
        let run = |sql| async move {
            session.run(sql).await.map_err(|cause| Error::from_server("cannot probe writes", cause))
        };
        // What is checked at the end of a transaction is checked at once.
        run("BEGIN; SET CONSTRAINTS ALL IMMEDIATE").await?;
        let outcome = Attempt::new(session, &target).run(&mut probe).await;
        let refused = match outcome {
            Ok(()) => {
                run("ROLLBACK").await?;
                return Ok(probe);
            }
            Err(refused) => refused,
        };
        // A connection that is gone says so here.
        run("ROLLBACK").await?;
        probe = WriteProbe { table: probe.table, notes: probe.notes, ..WriteProbe::default() };
        let words = &refused.words;
        match refused {
            // Without rows there is nothing to update or to delete.
            Refused { operation: Operation::Insert, .. } => {
                probe.notes.push(format!("a generated row was not inserted: {words}"));
                return Ok(probe);
            }
            Refused { operation: Operation::Update, column, .. } => {
                let name = target.updated.remove(column).name;
                probe.notes.push(format!("column {name} was not updated: {words}"));
            }
            Refused { operation: Operation::Delete, .. } => {
                target.deletes = false;
                probe.notes.push(format!("a row was not deleted: {words}"));
            }
        }
    }
}
