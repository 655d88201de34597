//! Whether a scenario's schema can be worked in.

use super::dataset_ledger::{DatasetState, dataset_state};
use crate::{
    pg::link::{
        Client,
        error::{Error, Result},
    },
    scenario::{Origin, Scenario},
};

/// Makes sure that the scenario's schema is latclinic's and holds a complete dataset.
///
/// # Errors
/// It is missing, is somebody else's, its seed did not end, or the server could not tell.
pub(crate) async fn check(client: &Client, scenario: &Scenario) -> Result<()> {
    let name = scenario.schema_name();
    let seed = || format!("run `{}`", command("seed", scenario));
    Err(match dataset_state(client, &name).await? {
        DatasetState::Complete(_) => return Ok(()),
        DatasetState::Absent => {
            Error::usage(format!("there is no schema {name}: the scenario is not seeded")).with_hint(seed())
        }
        DatasetState::Incomplete => Error::usage(format!("the seed of schema {name} did not end")).with_hint(seed()),
        DatasetState::Others(other) => other.refusal(&name, None),
        DatasetState::Foreign => {
            Error::usage(format!("the schema {name} was not made by latclinic, so latclinic does not touch it"))
                .with_hint("rename that schema, or give the scenario another id by renaming its file")
        }
    })
}

/// The command line that does `verb` for the scenario.
pub(crate) fn command(verb: &str, scenario: &Scenario) -> String {
    let name = match &scenario.origin {
        Origin::Bundled => scenario.id.clone(),
        Origin::File(path) => path.display().to_string(),
    };
    match scenario.rows_asked {
        Some(rows) => format!("latclinic {verb} {name} --rows {rows}"),
        None => format!("latclinic {verb} {name}"),
    }
}
