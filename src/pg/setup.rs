//! What every session of a load is set to.

use tokio_postgres::error::SqlState;

use super::{
    catalog::{quote_identifier, quote_literal},
    error::{Error, Result},
    link::{Client, Fault},
};
use crate::scenario::{Connections, nearest};

/// What every session of a load is set to, as one text of SQL.
pub(super) fn setup(schema: &str, connections: &Connections) -> String {
    let mut sql = setting("search_path", &search_path(schema));
    for (name, value) in &connections.settings {
        sql.push_str(&setting(name, value));
    }
    if let Some(timeout) = connections.statement_timeout {
        // 0 would be none at all.
        sql.push_str(&setting("statement_timeout", &timeout.as_millis().max(1).to_string()));
    }
    sql
}

/// Sets a session up as a load's are, but for `statement_timeout`: names resolve in `schema` first, then in `public`.
///
/// # Errors
/// The server does not take a setting; the message names it.
pub async fn set_up(client: &Client, schema: &str, connections: &Connections) -> Result<()> {
    let failed = |cause| Error::from_server("cannot set the search path", cause);
    client.batch_execute(&setting("search_path", &search_path(schema))).await.map_err(failed)?;
    for (name, value) in &connections.settings {
        if let Err(cause) = client.batch_execute(&setting(name, value)).await {
            return Err(refused(client, name, value, cause).await);
        }
    }
    Ok(())
}

/// A SET. The function takes lists as they are written, where `SET` would quote all of one as a single name.
fn setting(name: &str, value: &str) -> String {
    format!("SELECT pg_catalog.set_config({}, {}, false);", quote_literal(name), quote_literal(value))
}

fn search_path(schema: &str) -> String {
    format!("{}, public", quote_identifier(schema))
}

async fn refused(client: &Client, name: &str, value: &str, cause: Fault) -> Error {
    let unknown = cause.code() == Some(&SqlState::UNDEFINED_OBJECT);
    let taken = cause.as_db_error().is_some();
    let doing = format!("the setting {name} = {value:?} of the load is refused");
    let error = if taken { Error::usage_from_server(doing, cause) } else { Error::from_server(doing, cause) };
    if !unknown {
        return error;
    }
    let known = client.query("SELECT name FROM pg_settings", &[]).await.unwrap_or_default();
    let names: Vec<String> = known.iter().map(|row| row.get(0)).collect();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => error,
    }
}
