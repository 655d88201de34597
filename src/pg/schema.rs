//! The schema of a scenario: whose it is, and how to name things in it.

use tokio_postgres::Client;

use crate::scenario::Scenario;

use super::error::{Error, Result};

/// What the comment of a schema of ours begins with. A schema without it is never touched.
pub(super) const MARK: &str = "latclinic";

/// Makes sure that the scenario's schema is there and is latclinic's.
///
/// # Errors
/// It is missing, is somebody else's, or the server could not tell.
pub(super) async fn check(client: &Client, scenario: &Scenario) -> Result<()> {
    let name = scenario.schema_name();
    let row = client
        .query_opt("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1", &[&name])
        .await
        .map_err(|cause| Error::from_server(format!("cannot look up schema {name}"), cause))?;
    match row.map(|row| row.get::<_, Option<String>>(0)) {
        None => Err(Error::new(format!("schema {name} is not there: the scenario is not seeded"))
            .with_hint(format!("run `{}`", command("seed", scenario)))),
        Some(Some(comment)) if comment.starts_with(MARK) => Ok(()),
        Some(_) => Err(Error::new(format!("schema {name} is not latclinic's: its comment does not say so"))
            .with_hint("rename that schema or the scenario; latclinic touches no schema that it did not make")),
    }
}

/// Sends every later statement of the session to the scenario's schema first.
pub(super) async fn enter(client: &Client, scenario: &Scenario) -> Result<()> {
    let name = scenario.schema_name();
    client
        .batch_execute(&format!("SET search_path = {}, public", quoted(&name)))
        .await
        .map_err(|cause| Error::from_server(format!("cannot enter schema {name}"), cause))
}

/// A name in double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The command line that does `verb` for the scenario.
pub(crate) fn command(verb: &str, scenario: &Scenario) -> String {
    match &scenario.origin {
        crate::scenario::Origin::Bundled => format!("latclinic {verb} {}", scenario.id),
        crate::scenario::Origin::File(path) => format!("latclinic {verb} {}", path.display()),
    }
}
