//! What the price of a fix is made of, beside what applying it cost.

use super::{Clinic, Error};
use crate::{pg, record::WriteProbe, scenario::Scenario};

/// What a write costs now: a probe for each table that the fix is about; none where it is a rewrite alone. Takes about a
/// second and leaves nothing: dead rows are vacuumed.
///
/// # Errors
/// The schema is not the scenario's, the connection breaks, or stopped by a signal. What a table refuses is none: its figures
/// are missing, with a note; so is what was not vacuumed.
pub async fn probe_writes(clinic: &Clinic, scenario: &Scenario) -> Result<Vec<WriteProbe>, Error> {
    if !scenario.fix.changes_database() {
        return Ok(Vec::new());
    }
    let probes = pg::probe_writes(clinic.connector(), scenario, clinic.stop()).await;
    probes.map_err(|error| Error::from(error).interrupted_if(clinic.stop().is_cancelled()))
}
