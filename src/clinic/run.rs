//! The main job: dataset, before, fix, after, comparison.

use std::path::PathBuf;

use super::{
    Clinic, Error, ErrorKind, FixOutcome, FixState, PlannedLoad, Reports, SeedOptions, SeedOutcome,
    bench::measure,
    compare::{compare_records, write_comparison},
    fix::{apply_fix, revert_fix},
    seed::{rows_text, seed},
};
use crate::{
    compare::Comparison,
    record::{Folder, Found, Phase},
    scenario::Scenario,
};

/// A run that measured something.
#[derive(Debug)]
pub struct RunOutcome {
    /// The comparison; `None` when the run did not get there.
    pub comparison: Option<Comparison>,
    /// Where everything was saved: the records in `before` and `after`, the comparison beside them.
    pub folder: PathBuf,
    /// Why it did not get there; `None` when it was told to stop.
    pub failure: Option<Error>,
}

/// Seeds the dataset if needed, measures without the fix, applies it, measures with it, compares. `markdown` words the
/// comparison. The fix stays applied.
///
/// # Errors
/// What failed before anything was measured; what fails later is in [`RunOutcome::failure`].
pub async fn run(
    clinic: &Clinic,
    scenario: &Scenario,
    seed_options: &SeedOptions,
    load: &PlannedLoad,
    reports: &Reports,
    markdown: impl Fn(&Comparison) -> String,
) -> Result<RunOutcome, Error> {
    let folder = reports.prepare(&scenario.id, "run")?;
    if let SeedOutcome::AlreadyComplete(facts) = seed(clinic, scenario, seed_options).await? {
        clinic.note(format!("the dataset of {} is complete: {}", scenario.id, rows_text(&facts.rows)));
    }
    tell(clinic, &revert_fix(clinic, scenario).await?, &FixState::Absent);
    let before = measure(clinic, scenario, Phase::Before, load, &folder.subfolder("before")?).await?;
    let outcome = |comparison, failure| RunOutcome { comparison, folder: folder.path().to_owned(), failure };
    if before.failure.is_some() || before.found.record.interrupted {
        return Ok(outcome(None, before.failure));
    }
    Ok(match after(clinic, scenario, load, &folder, &before.found, markdown).await {
        Ok(comparison) => outcome(comparison, None),
        Err(failure) if failure.kind() == ErrorKind::Interrupted => outcome(None, None),
        Err(failure) => outcome(None, Some(failure)),
    })
}

/// The second half, once there is a record of the phase before. `None` when it was told to stop.
async fn after(
    clinic: &Clinic,
    scenario: &Scenario,
    load: &PlannedLoad,
    folder: &Folder,
    before: &Found,
    markdown: impl Fn(&Comparison) -> String,
) -> Result<Option<Comparison>, Error> {
    tell(clinic, &apply_fix(clinic, scenario).await?, &FixState::Applied);
    let after = measure(clinic, scenario, Phase::After, load, &folder.subfolder("after")?).await?;
    match after.failure {
        Some(failure) => return Err(failure),
        None if after.found.record.interrupted => return Ok(None),
        None => {}
    }
    let comparison = compare_records(before, &after.found)?;
    write_comparison(folder, &comparison, markdown)?;
    Ok(Some(comparison))
}

/// Says so where a fix stood already as it should.
fn tell(clinic: &Clinic, outcome: &FixOutcome, state: &FixState) {
    if *outcome == FixOutcome::Nothing {
        clinic.note(format!("nothing to do: {state}"));
    }
}
