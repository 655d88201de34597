//! Indexes that are tried and leave nothing behind: hypothetical ones, which HypoPG tells the planner of, and real ones, built in a
//! transaction that is rolled back whatever happens, so that nothing is left even if this process or the server dies.

use std::time::{Duration, Instant};

use sqlparser::{ast, dialect::PostgreSqlDialect, parser::Parser};
use tokio_util::sync::CancellationToken;

use super::seed_session::stoppable;
use crate::{
    pg::link::{
        Limit, Scope, Timeout,
        error::{Error, Result},
        user_session::UserSession,
    },
    sqltext::quote::quote_identifier,
};

/// How long a build may take.
const BUILD: Duration = Duration::from_secs(600);

/// Whether HypoPG can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HypoPg {
    /// Its extension is in this schema of the database.
    There(String),
    /// It is installed on the server, but not in the database, and this role may make it.
    Creatable,
    /// It cannot be used.
    Absent,
}

/// An index that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct TriedIndex {
    /// What plans call it, with those of its partitions.
    pub names: Vec<String>,
    /// Its size: an estimate where it is hypothetical.
    pub bytes: u64,
    /// What it took to build; `None` where it is hypothetical.
    pub build: Option<Duration>,
    /// Whether this transaction cannot use it, since rows have older versions that others may still see.
    pub unusable: bool,
}

/// Whether HypoPG can be used in the database of `session`.
///
/// # Errors
/// The server cannot be asked.
pub async fn hypopg(session: &UserSession) -> Result<HypoPg> {
    let query = "SELECT (SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hypopg'), \
         EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = 'hypopg' AND (NOT v.superuser OR v.trusted AND \
         has_database_privilege(current_database(), 'CREATE') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)))";
    let failed = |cause| Error::from_server("cannot ask whether the extension hypopg is there", cause);
    let row = session.own().await?.query_one(query, &[]).await.map_err(failed)?;
    Ok(match (row.get::<_, Option<String>>(0), row.get(1)) {
        (Some(schema), _) => HypoPg::There(schema),
        (None, true) => HypoPg::Creatable,
        (None, false) => HypoPg::Absent,
    })
}

/// Tells the planner of this session of an index that does not exist, for as long as the session lasts. Where the extension has to be made
/// for it, that is rolled back at once.
///
/// # Errors
/// HypoPG cannot be used, or does not know such an index.
pub async fn hypothetical(session: &UserSession, statement: &str, hypopg: &HypoPg) -> Result<TriedIndex> {
    let failed = |cause| Error::from_server("HypoPG does not take the index", cause);
    let begin = match hypopg {
        HypoPg::There(_) => "BEGIN READ ONLY",
        HypoPg::Creatable => "BEGIN; SET LOCAL client_min_messages = warning; CREATE EXTENSION hypopg",
        HypoPg::Absent => return Err(Error::new("the extension hypopg is not there")),
    };
    session.run(begin).await.map_err(failed)?;
    let made = async {
        let there = "SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_extension e \
             JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace \
             WHERE e.extname OPERATOR(pg_catalog.=) 'hypopg'";
        let schema = match hypopg {
            HypoPg::There(schema) => Some(schema.clone()),
            _ => session.ask(there, &[]).await.map_err(failed)?.first().map(|row| row.get(0)),
        };
        let schema = quote_identifier(schema.as_deref().unwrap_or_default());
        // It resolves the names in the statement as this session does.
        let query = format!(
            "SELECT i.indexname::pg_catalog.text, {schema}.hypopg_relation_size(i.indexrelid)::pg_catalog.int8 \
             FROM {schema}.hypopg_create_index($1::pg_catalog.text) i"
        );
        let rows = session.ask(&query, &[&statement]).await.map_err(failed)?;
        let row = rows.first().ok_or_else(|| Error::new("HypoPG does not take the index"))?;
        let bytes = u64::try_from(row.get::<_, i64>(1)).unwrap_or(0);
        Ok(TriedIndex { names: vec![row.get(0)], bytes, build: None, unusable: false })
    };
    let made = made.await;
    session.run("ROLLBACK").await.map_err(failed)?;
    made
}

/// Builds an index in a transaction, does `work` within it and rolls all of it back. The table has to be in `schema`; writes to it wait
/// for the build and for the work. Locks are waited for no longer than `lock`. `first` is run before, such as a statement that makes an extension.
///
/// # Errors
/// The table is elsewhere, the statement fails or takes too long, the work fails, or `stop` was given.
pub async fn built<T, E: From<Error>>(
    session: &UserSession,
    stop: &CancellationToken,
    schema: &str,
    first: &[&str],
    statement: &str,
    lock: Duration,
    work: impl AsyncFnOnce(TriedIndex) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let failed = |cause| Error::from_server("cannot build the index", cause);
    let (table, statement) = within_transaction(statement)?;
    let limits = [(Timeout::Statement, Some(BUILD)), (Timeout::Lock, Some(lock))];
    let _limit = session.limited(Limit::Server(BUILD));
    session
        .run(&format!(
            "BEGIN; {}SET LOCAL client_min_messages = warning",
            session.theirs().set(Scope::Transaction, &limits)
        ))
        .await
        .map_err(failed)?;
    let build = async {
        // Where the statement, in this session, finds it.
        let place = "SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
             WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid";
        let place = session.ask(place, &[&table]).await.map_err(failed)?;
        let place = place.first().map(|row| row.get::<_, String>(0));
        if place.as_deref() != Some(schema) {
            return Err(Error::new(format!(
                "{table} is not in the scenario's schema: an index is built for a trial in no other"
            )));
        }
        for sql in first {
            session.run(sql).await.map_err(failed)?;
        }
        let begin = Instant::now();
        session.run(&statement).await.map_err(failed)?;
        let took = begin.elapsed();
        // What this transaction made.
        let query = "SELECT c.relname::pg_catalog.text, pg_catalog.pg_relation_size(c.oid), i.indcheckxmin \
             FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid \
             JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) i.indrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace \
             WHERE c.xmin OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.xid \
             AND n.nspname OPERATOR(pg_catalog.=) $1 ORDER BY c.relname";
        let rows = session.ask(query, &[&schema]).await.map_err(failed)?;
        Ok(TriedIndex {
            names: rows.iter().map(|row| row.get(0)).collect(),
            bytes: rows.iter().map(|row| u64::try_from(row.get::<_, i64>(1)).unwrap_or(0)).sum(),
            build: Some(took),
            unusable: rows.iter().any(|row| row.get(2)),
        })
    };
    let index = stoppable(session, stop, build).await.map_err(Error::naming_lock);
    let stopped = index.as_ref().is_err_and(Error::is_stopped);
    let done = match index {
        Ok(index) => work(index).await,
        Err(error) => Err(error.into()),
    };
    // After a stop that the server did not hear of, the end of the session takes the transaction back.
    if !stopped && !stop.is_cancelled() {
        session.run("ROLLBACK").await.map_err(failed)?;
    }
    done
}

/// The table of a CREATE INDEX, and the statement as it can be run in a transaction.
fn within_transaction(statement: &str) -> Result<(String, String)> {
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, statement).ok().and_then(|mut statements| statements.pop());
    match parsed {
        Some(ast::Statement::CreateIndex(index)) => {
            let words = if index.concurrently { " CONCURRENTLY" } else { "" };
            Ok((index.table_name.to_string(), statement.replacen(words, "", 1)))
        }
        _ => Err(Error::new(format!("{statement}: this is not a CREATE INDEX that can be tried"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concurrent_build_becomes_one_of_a_transaction() {
        let of = |statement: &str| within_transaction(statement).unwrap();
        let advised = "CREATE INDEX CONCURRENTLY a_idx ON s.\"T\" (user_id, lower(email) text_pattern_ops, at DESC NULLS LAST) INCLUDE (id) WHERE kind = 'a'";
        assert_eq!(of(advised), ("s.\"T\"".to_owned(), advised.replace("CONCURRENTLY ", "")));
        assert!(
            of("CREATE INDEX CONCURRENTLY i ON t USING gin (doc jsonb_path_ops)")
                .1
                .to_lowercase()
                .contains("using gin")
        );
        assert!(within_transaction("DROP TABLE t").is_err());
    }
}
