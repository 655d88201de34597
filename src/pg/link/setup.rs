//! What every session of a load is set to.

use tokio_postgres::{SimpleQueryMessage, error::SqlState};

use super::{
    Fault,
    error::{Error, Result},
    path,
    user_session::UserSession,
};
use crate::{
    scenario::{Connections, nearest},
    sqltext::quote::quote_literal,
};

/// What every session of a load is set to, as one text of SQL.
pub(crate) fn setup(schema: &str, connections: &Connections) -> String {
    let mut sql = path::set(&path::of_schema(schema));
    for (name, value) in &connections.settings {
        sql.push_str(&setting(name, value));
    }
    if let Some(timeout) = connections.statement_timeout {
        // 0 would be none at all.
        sql.push_str(&setting("statement_timeout", &timeout.as_millis().max(1).to_string()));
    }
    sql
}

/// Gives a session the settings of a load, but for `statement_timeout`.
///
/// # Errors
/// The server does not take a setting; the message names it.
pub(crate) async fn apply(session: &UserSession, connections: &Connections) -> Result<()> {
    for (name, value) in &connections.settings {
        if let Err(cause) = session.run(&setting(name, value)).await {
            return Err(refused(session, name, value, cause).await);
        }
    }
    let failed = |cause| Error::from_server("cannot read the settings of a session", cause);
    if connections.settings.is_empty() { Ok(()) } else { session.read_timeouts().await.map_err(failed) }
}

/// A SET. The function takes lists as they are written, where `SET` would quote all of one as a single name.
fn setting(name: &str, value: &str) -> String {
    format!("SELECT pg_catalog.set_config({}, {}, false);", quote_literal(name), quote_literal(value))
}

async fn refused(session: &UserSession, name: &str, value: &str, cause: Fault) -> Error {
    let unknown = cause.code() == Some(&SqlState::UNDEFINED_OBJECT);
    let taken = cause.as_db_error().is_some();
    let doing = format!("the setting {name} = {value:?} of the load is refused");
    let error = if taken { Error::usage_from_server(doing, cause) } else { Error::from_server(doing, cause) };
    if !unknown {
        return error;
    }
    let known = session.simple_query("SHOW ALL").await.unwrap_or_default();
    let names = known.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    match nearest(name, names) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => error,
    }
}
