//! Indexes that a fix makes: which they are, and whether they can be used.

use sqlparser::{ast, dialect::PostgreSqlDialect, parser::Parser};

use crate::{
    pg::{
        link::{
            Client, Limit,
            error::{Error, Result},
            user_session::UserSession,
        },
        site::catalog::qualified,
    },
    scenario::{Scenario, SqlText},
};

/// Names of the indexes that the statements create, as far as they say. PostgreSQL's grammar knows more than the parser
/// does; what it cannot parse, and an index that is given no name, is not among them.
pub(crate) fn created_by(sql: &SqlText) -> Vec<String> {
    let parsed = sql.statements.iter().flat_map(|statement| Parser::parse_sql(&PostgreSqlDialect {}, &statement.text));
    parsed
        .flatten()
        .filter_map(|statement| match statement {
            ast::Statement::CreateIndex(index) => index.name?.0.last()?.as_ident().cloned(),
            _ => None,
        })
        .map(|name| if name.quote_style.is_some() { name.value } else { name.value.to_lowercase() })
        .collect()
}

/// An index of the scenario's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// Whether queries may use it: valid and ready. An interrupted CREATE INDEX CONCURRENTLY leaves one that is not.
    pub(crate) usable: bool,
    /// Whether it is the parent of indexes on partitions, unusable until they are all attached.
    partitioned: bool,
    /// The session that is building it.
    builder: Option<i32>,
}

/// All indexes of the scenario's schema.
pub(crate) async fn all(own: &Client, scenario: &Scenario) -> Result<Vec<Index>> {
    let rows = own
        .query(
            "SELECT c.relname, i.indisvalid AND i.indisready, c.relkind = 'I', p.pid \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = c.oid AND p.datid = \
             (SELECT oid FROM pg_database WHERE datname = current_database()) \
             WHERE n.nspname = $1 ORDER BY c.relname",
            &[&scenario.schema_name()],
        )
        .await
        .map_err(|cause| Error::from_server(format!("cannot list the indexes of {}", scenario.schema_name()), cause))?;
    Ok(rows
        .into_iter()
        .map(|row| Index { name: row.get(0), usable: row.get(1), partitioned: row.get(2), builder: row.get(3) })
        .collect())
}

/// Drops what interrupted builds left behind and names it. Parents of partitioned indexes stay: they are unusable by
/// design until the last partition's index is attached.
pub(crate) async fn drop_half_built(session: &UserSession, scenario: &Scenario) -> Result<Vec<String>> {
    let mut dropped = Vec::new();
    let _limit = session.limited(Limit::Work);
    for index in
        all(session.own().await?, scenario).await?.into_iter().filter(|index| !index.usable && !index.partitioned)
    {
        if let Some(pid) = index.builder {
            return Err(Error::new(format!("index {} is being built by another session (pid {pid})", index.name))
                .with_hint(format!("wait for it, or stop it: SELECT pg_cancel_backend({pid})")));
        }
        session
            .run(&format!("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(&scenario.schema_name(), &index.name)))
            .await
            .map_err(|cause| Error::from_server(format!("cannot drop the half-built index {}", index.name), cause))?;
        dropped.push(index.name);
    }
    Ok(dropped)
}

#[cfg(test)]
mod tests {
    use crate::scenario::SqlStatement;

    use super::*;

    #[test]
    fn names_of_created_indexes() {
        let text = |text: &str| SqlStatement { text: text.to_owned(), line: 1 };
        let sql = SqlText {
            source: "fix.up.sql".into(),
            text: String::new(),
            statements: vec![
                text(
                    "CREATE INDEX CONCURRENTLY IF NOT EXISTS Events_Idx ON events (user_id, created_at DESC) INCLUDE (kind)",
                ),
                text("CREATE UNIQUE INDEX \"Quoted\" ON events USING gin (payload) WHERE kind = 'a'"),
                text("CREATE INDEX ON events (kind)"),
                text("ALTER TABLE events SET (fillfactor = 70)"),
                text("this is not SQL"),
            ],
        };
        assert_eq!(created_by(&sql), ["events_idx", "Quoted"]);
    }
}
