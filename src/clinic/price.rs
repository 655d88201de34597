//! What the price of a fix is made of, beside what applying it cost.

use super::{Clinic, Error};
use crate::{pg, record::WriteProbe, scenario::Scenario};

/// What a write costs now: a probe for each table that the fix is about; none where it is a rewrite alone. Takes well below a
/// second and leaves nothing but dead rows; see [`vacuum_probed`].
///
/// # Errors
/// The schema is not the scenario's, the connection breaks, or it was told to stop. What a table refuses is none: its figures
/// are missing, with a note.
pub async fn probe_writes(clinic: &Clinic, scenario: &Scenario) -> Result<Vec<WriteProbe>, Error> {
    if !scenario.fix.changes_database() {
        return Ok(Vec::new());
    }
    let probes = pg::probe_writes(clinic.connector(), scenario, clinic.stop()).await;
    probes.map_err(|error| Error::from(error).interrupted_if(clinic.stop().is_cancelled()))
}

/// VACUUM of the tables that were probed, once all probes are done. Where the server refuses, that is noted.
pub async fn vacuum_probed(clinic: &Clinic, scenario: &Scenario) {
    if scenario.fix.changes_database()
        && let Err(error) = pg::vacuum_probed(clinic.connector(), scenario, clinic.stop()).await
    {
        clinic.note(error.to_string());
    }
}
