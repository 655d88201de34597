//! Seeding, step by step, in the order of the methods of [`Seeding`].

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_postgres::types::ToSql;
use tokio_util::sync::CancellationToken;

use super::{
    catalog::{check_may_create, columns, qualified, run_statements},
    copy,
    dataset_ledger::{self, DatasetState, dataset_state},
    keys::{Build, Keys, advance_sequences},
    seed_session::{LOCK, run_lists, seed_session_and_own, stoppable},
};
use crate::{
    dataset::TableRows,
    pg::link::{
        Scope, Timeout,
        connector::Connector,
        error::{Error, Result},
        user_session::UserSession,
    },
    scenario::Dataset,
    sqltext::quote::quote_identifier,
};

/// How long VACUUM is tried again while a transaction of another session hides rows from it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// A seed of one schema. Holds the lock on it for as long as it lives.
pub struct Seeding<'a> {
    connector: &'a Connector,
    schema: &'a str,
    connections: usize,
    stop: &'a CancellationToken,
    session: UserSession,
}

impl<'a> Seeding<'a> {
    /// Connects, and waits until no other latclinic seeds the schema; `wait` is called first if one does.
    ///
    /// # Errors
    /// When the server cannot be reached, or when told to stop.
    pub async fn begin(
        connector: &'a Connector,
        schema: &'a str,
        connections: usize,
        stop: &'a CancellationToken,
        wait: impl FnOnce(),
    ) -> Result<Self> {
        let session = tokio::select! {
            session = seed_session_and_own(connector, schema) => session?,
            () = stop.cancelled() => return Err(Error::stopped()),
        };
        let failed = |cause| Error::from_server(format!("cannot lock the schema {schema} for seeding"), cause);
        // Held by the session whose statements it guards: it ends when they do.
        let free = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))";
        let free = session.ask(free, &[&schema]).await.map_err(failed)?;
        if !free.iter().all(|row| row.get(0)) {
            wait();
            // The other one may take longer than any lock should.
            let lock = async {
                let wait = |time| session.theirs().set(Scope::Session, &[(Timeout::Lock, time)]);
                session.run(&wait(None)).await.map_err(failed)?;
                let lock =
                    "SELECT FROM (SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended($1, 0))) AS locked";
                session.ask(lock, &[&schema]).await.map_err(failed)?;
                session.run(&wait(Some(LOCK))).await.map_err(failed)
            };
            stoppable(&session, stop, lock).await?;
        }
        Ok(Self { connector, schema, connections, stop, session })
    }

    /// What is in the schema now.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn state(&self) -> Result<DatasetState> {
        dataset_state(self.session.own().await?, self.schema).await
    }

    /// Makes the schema, marked as latclinic's, with a ledger that says `loading`; with `replace` the old one goes first.
    ///
    /// # Errors
    /// On a read-only server, without the privilege, or when the old schema is in use.
    pub async fn create_schema(
        &self,
        scenario: &str,
        recipe: &str,
        rows: &BTreeMap<String, u64>,
        replace: bool,
    ) -> Result<()> {
        let own = self.session.own().await?;
        check_may_create(own).await?;
        let begin = dataset_ledger::begin(own, (self.schema, scenario), recipe, rows, replace);
        stoppable(own, self.stop, begin).await
    }

    /// Runs the DDL and compiles the rows of each table for the columns that it made.
    ///
    /// # Errors
    /// When a statement fails (with its place), or a table or column is missing or cannot be filled.
    pub async fn create_tables(&self, dataset: &Dataset) -> Result<Vec<(String, TableRows)>> {
        stoppable(&self.session, self.stop, run_statements(&self.session, &dataset.schema)).await?;
        let own = self.session.own().await?;
        let mut tables = Vec::new();
        for table in &dataset.tables {
            let columns = columns(own, self.schema, &table.name, &table.columns).await?;
            let rows = TableRows::compile(dataset, table, &columns).map_err(|error| Error::usage(error.to_string()))?;
            tables.push((table.name.clone(), rows));
        }
        Ok(tables)
    }

    /// Puts the keys and indexes aside, and loads all rows, adding those sent to `sent`.
    ///
    /// # Errors
    /// The first failure of any connection.
    pub async fn load(&self, tables: Vec<(String, TableRows)>, sent: &Arc<AtomicU64>) -> Result<SeededTables> {
        let names: Vec<String> = tables.iter().map(|(name, _)| name.clone()).collect();
        let table_names: Vec<&str> = names.iter().map(String::as_str).collect();
        let own = self.session.own().await?;
        let keys = stoppable(own, self.stop, Keys::take(own, self.schema, &table_names)).await?;
        copy::load(self.connector, self.schema, tables, self.connections, sent, self.stop).await?;
        Ok(SeededTables { names, keys })
    }

    /// Builds the keys and indexes that were put aside; those of different tables at once, foreign keys last.
    ///
    /// # Errors
    /// When the data break a key, or the server fails.
    pub async fn build_keys(&self, tables: &SeededTables) -> Result<()> {
        self.run(tables.keys.by_table()).await?;
        self.run(vec![tables.keys.foreign()]).await?;
        for table in &tables.names {
            advance_sequences(self.session.own().await?, self.schema, table).await?;
        }
        Ok(())
    }

    /// `VACUUM (ANALYZE)` of every table: visibility map, hint bits and statistics as after a quiet night. An older transaction of
    /// another session keeps VACUUM from marking pages as visible to all, so that it is tried again until that one has ended, within
    /// 10 seconds. Returns the tables of which pages are left that are not.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn vacuum(&self, tables: &SeededTables) -> Result<Vec<String>> {
        let mut held = self.others_hold_rows().await?;
        self.vacuum_all("VACUUM (ANALYZE)", &tables.names).await?;
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            // Pages that were added and never used are not marked either: nothing is on them.
            let hidden = self.not_visible_to_all(&tables.names).await?;
            if hidden.is_empty() || !held {
                return Ok(Vec::new());
            }
            if Instant::now() >= until || self.stop.is_cancelled() {
                return Ok(hidden);
            }
            sleep(BETWEEN_TRIES).await;
            held = self.others_hold_rows().await?;
            self.vacuum_all("VACUUM", &hidden).await?;
        }
    }

    async fn vacuum_all(&self, vacuum: &str, tables: &[String]) -> Result<()> {
        let build = |table: &String| {
            vec![Build {
                what: format!("the statistics of {table}"),
                statement: format!("{vacuum} {}", qualified(self.schema, table)),
            }]
        };
        self.run(tables.iter().map(build).collect()).await
    }

    /// Of the tables those with pages, also in their partitions, that the visibility map does not have as visible to all.
    async fn not_visible_to_all(&self, tables: &[String]) -> Result<Vec<String>> {
        let query = "
            WITH RECURSIVE part (name, oid) AS (
                SELECT relname, oid FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relname = ANY ($2::text[])
                UNION SELECT name, inhrelid FROM part JOIN pg_inherits ON inhparent = part.oid
            )
            SELECT DISTINCT name::text FROM part JOIN pg_class ON pg_class.oid = part.oid
            WHERE relkind = 'r' AND relallvisible < relpages ORDER BY 1";
        self.ask(query, &[&quote_identifier(self.schema), &tables]).await
    }

    /// Whether a transaction of another session sees rows as they were at some earlier moment, as far as this role may know.
    async fn others_hold_rows(&self) -> Result<bool> {
        let query = "
            SELECT pid::text FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL";
        Ok(!self.ask(query, &[]).await?.is_empty())
    }

    /// The first column of the answer to a question of latclinic's own.
    async fn ask(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<String>> {
        let own = self.session.own().await?;
        let failed = |cause| Error::from_server(format!("cannot see what VACUUM of {} left", self.schema), cause);
        let rows = own.query(query, parameters).await.map_err(failed)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Marks the dataset as complete and durable, and returns what is there.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn complete(&self) -> Result<DatasetState> {
        dataset_ledger::complete(self.session.own().await?, self.schema).await?;
        self.state().await
    }

    async fn run(&self, lists: Vec<Vec<Build>>) -> Result<()> {
        let lists: Vec<Vec<Build>> = lists.into_iter().filter(|list| !list.is_empty()).collect();
        run_lists(self.connector, self.schema, lists, self.connections, self.stop).await
    }
}

/// Tables that are loaded and whose keys are still to be built.
#[derive(Debug)]
pub struct SeededTables {
    names: Vec<String>,
    keys: Keys,
}
