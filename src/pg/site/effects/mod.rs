//! What a statement may do that its words do not show: functions that it calls, by itself, in a view, by a trigger or a default, and
//! rows elsewhere that it writes or locks.

use std::{collections::BTreeSet, fmt, time::Duration};

use postgres_types::ToSql;
use tokio_postgres::Row;
use tokio_util::sync::CancellationToken;

use super::seed_session::stoppable;
use crate::pg::link::{
    Client, Fault, Scope, Timeout,
    error::{Error, Result},
    user_session::UserSession,
};
use crate::scenario::{Name, Reading, RelationKind};

/// How long a question may take, and wait for a lock.
const LIMITS: [(Timeout, Option<Duration>); 2] =
    [(Timeout::Statement, Some(Duration::from_secs(30))), (Timeout::Lock, Some(Duration::from_secs(5)))];

const QUERY: &str = include_str!("effects.sql");

/// Functions of pg_catalog that are volatile and leave nothing behind, as a regular expression: what they return differs from one
/// call to the next, or they only look or wait. Any other one, of a later version too, is taken to have effects.
const HARMLESS: &str = "^(RI_FKey_.*|array_sample|array_shuffle|bernoulli|clock_timestamp|current_query|currtid2|currval|gen_random_uuid|\
    lastval|pg_(available_wal_summaries|blocking_pids|collation_actual_version|control_.*|current_logfile|current_wal_.*|\
    database_collation_actual_version|database_size|get_.*|hba_file_rules|ident_file_mappings|indexes_size|is_in_recovery|\
    is_wal_replay_paused|isolation_test_session_is_blocked|jit_available|last_.*|lock_status|ls_.*|notification_queue_usage|\
    numa_available|partition_.*|prepared_xact|relation_size|replication_origin_progress|safe_snapshot_blocking_pids|\
    sequence_last_value|show_all_file_settings|show_replication_origin_status|sleep.*|stat_clear_snapshot|stat_file|\
    stat_force_next_flush|stat_get_.*|stat_have_stats|table_size|tablespace_size|total_relation_size|wal_summary_contents|\
    xact_commit_timestamp.*|xact_status)|random|random_normal|setseed|suppress_redundant_updates_trigger|system|timeofday|\
    tsvector_update_trigger.*|txid_status|unique_key_recheck|uuidv4|uuidv7)$";

/// Those whose effects a READ ONLY transaction refuses or the end of a transaction takes back, but for how far a sequence has come.
const TAKEN_BACK: &str = "^(lo_(close|creat|create|from_bytea|get|lseek|lseek64|open|put|tell|tell64|truncate|truncate64|unlink)|\
    loread|lowrite|nextval|pg_notify|setval)$";

/// Something that a statement may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It calls a function that may do anything.
    Calls {
        /// With its schema and the types of its arguments.
        function: String,
        /// The view or table that has it called; none if the statement names it.
        through: Option<String>,
    },
    /// A default draws from a sequence outside of the schema.
    Draws {
        /// The sequence.
        sequence: String,
        /// The table.
        table: String,
    },
    /// It writes rows of a table outside of the schema.
    Writes(String),
    /// It locks rows of a table outside of the schema.
    Locks(String),
}

impl fmt::Display for Effect {
    /// A clause about a statement, which is `it`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls { function, through: None } => write!(f, "it calls {function}"),
            Self::Calls { function, through: Some(through) } => write!(f, "{through} calls {function}"),
            Self::Draws { sequence, table } => write!(f, "a default of {table} draws from {sequence}"),
            Self::Writes(table) => write!(f, "it may write rows of {table}"),
            Self::Locks(table) => write!(f, "it locks rows of {table}"),
        }
    }
}

/// Where the effects of a statement matter.
#[derive(Debug, Clone, Copy)]
pub enum Beyond<'a> {
    /// Anywhere: the statement is executed in transactions that are rolled back.
    Transaction,
    /// Outside of this schema, where the functions in it are as good as the statement's own words: they may do anything.
    Schema(&'a str),
}

/// A session that is asked what statements may do. Nothing of the database's own is executed for that.
#[derive(Debug)]
pub struct Effects<'a> {
    own: &'a Client,
    stop: &'a CancellationToken,
    /// The schemas in which names of the user resolve, in their order.
    path: Vec<String>,
}

impl<'a> Effects<'a> {
    /// Names resolve as in `session`; questions end when `stop` is given.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn new(session: &'a UserSession, stop: &'a CancellationToken) -> Result<Self> {
        let path = session.ask("SELECT pg_catalog.current_schemas(true)", &[]).await.map_err(failed)?;
        let path = path.first().map(|row| row.get(0)).unwrap_or_default();
        Ok(Self { own: session.own().await?, stop, path })
    }

    /// What a statement may do.
    ///
    /// # Errors
    /// The server cannot be asked, or it was told to stop.
    pub async fn of(&self, sql: &str, reading: &Reading, beyond: Beyond<'_>) -> Result<Vec<Effect>> {
        let (schema, harmless) = match beyond {
            Beyond::Transaction => (None, format!("{HARMLESS}|{TAKEN_BACK}")),
            Beyond::Schema(schema) => (Some(schema), HARMLESS.to_owned()),
        };
        let (name_schemas, names) = split(&reading.names);
        let (target_schemas, targets) = split(&reading.targets);
        let (template_schemas, templates) = split(&reading.templates);
        let (call_schemas, calls) = split(&reading.calls);
        let attributes: Vec<&str> = reading.attributes.iter().map(String::as_str).collect();
        let rows = self
            .ask(
                QUERY,
                &[
                    &name_schemas,
                    &names,
                    &target_schemas,
                    &targets,
                    &template_schemas,
                    &templates,
                    &call_schemas,
                    &calls,
                    &attributes,
                    &self.path,
                    &sql,
                    &harmless,
                    &schema,
                    &reading.locks,
                ],
            )
            .await?;
        Ok(rows.iter().map(effect).collect())
    }

    /// The relations in a schema.
    ///
    /// # Errors
    /// As of [`of`](Self::of).
    pub async fn relations(&self, schema: &str) -> Result<Vec<(String, RelationKind)>> {
        let query = "SELECT c.relname::text, c.relkind IN ('r', 'p') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1";
        let kind = |is_table| if is_table { RelationKind::Table } else { RelationKind::Other };
        Ok(self.ask(query, &[&schema]).await?.iter().map(|row| (row.get(0), kind(row.get(1)))).collect())
    }

    async fn ask(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        // The planner takes the question for a large one, and compiling it takes seconds.
        let limits = self.own.theirs().set(Scope::Transaction, &LIMITS);
        let begin = format!("BEGIN READ ONLY; {limits}SET LOCAL jit = off");
        let asked = stoppable(self.own, self.stop, async {
            self.own.batch_execute(&begin).await.map_err(failed)?;
            Ok(self.own.query(query, parameters).await.map_err(failed))
        });
        let rows = asked.await?;
        self.own.batch_execute("ROLLBACK").await.map_err(failed)?;
        rows
    }
}

fn failed(cause: Fault) -> Error {
    Error::from_server("cannot look up what a statement calls", cause)
}

fn split(names: &BTreeSet<Name>) -> (Vec<Option<&str>>, Vec<&str>) {
    names.iter().map(|name| (name.schema.as_deref(), name.name.as_str())).unzip()
}

fn effect(row: &Row) -> Effect {
    let (what, through): (String, Option<String>) = (row.get(1), row.get(2));
    match row.get(0) {
        "calls" => Effect::Calls { function: what, through },
        "draws" => Effect::Draws { sequence: what, table: through.unwrap_or_default() },
        "writes" => Effect::Writes(what),
        _ => Effect::Locks(what),
    }
}
