//! Why it is slow: plans of a scenario's statements, or of any one, and what is wrong in them.

mod capture;
mod examine;
mod findings;
mod found;
mod pasted;
mod plans;
mod question;
mod sampled;
mod values;
mod what_if;

use std::{path::PathBuf, time::Duration};

pub(super) use self::capture::capture;
pub use self::{
    capture::Captured,
    examine::{Question, examine, explain_query},
    pasted::examine_plans,
    plans::{ClassGiven, TIME_LIMIT},
    question::question,
    what_if::TryBy,
};
pub(super) use self::{
    plans::Budget,
    sampled::{Sampled, warning as plans_warning},
    values::{StatementValues, find as find_values},
};
use super::{
    Clinic, Error, Reports, fix,
    saving::{self, Extent},
    seed,
};
use crate::{
    load::Workload,
    pg,
    record::{self, Finding, Folder, Phase},
    scenario::Scenario,
};

/// The plans of a phase, and where they were saved.
#[derive(Debug)]
pub struct ExplainOutcome {
    /// The plans.
    pub captured: Captured,
    /// What is wrong in them, where the workload has most at stake first.
    pub findings: Vec<Finding>,
    /// The folder that holds them; `None` where nothing could be written.
    pub folder: Option<PathBuf>,
    /// Why advised indexes could not be tried, or the plans are in another folder than was asked for.
    pub failure: Option<Error>,
}

/// Captures, diagnoses and saves the plans of one phase. One execution may take as long as `time_limit`, those of a plan as long again.
/// With `what_if` the indexes that findings advise are tried.
///
/// # Errors
/// The dataset is missing or another one, the fix is not in the phase's state, a statement fails, or the files cannot be
/// written.
pub async fn explain(
    clinic: &Clinic,
    scenario: &Scenario,
    phase: Phase,
    seed: u64,
    time_limit: Duration,
    what_if: Option<TryBy>,
    reports: &Reports,
) -> Result<ExplainOutcome, Error> {
    let extent = Extent { sides: 1, blocks: 0, seconds: 0.0, operations: scenario.scripts.len() as u64 };
    let folder = reports.prepare(&scenario.id, "explain", extent)?;
    clinic.connector().set_time_limit(time_limit);
    seed::require(clinic.connector(), scenario).await?;
    fix::require_fix(clinic, scenario, phase).await?;
    let scenario = &*fix::in_phase(scenario, phase);
    let facts = pg::describe(clinic.connector(), scenario).await?;
    let workload = Workload::new(scenario, &facts, seed)?;
    let values = values::find(clinic, scenario, &workload, &facts).await?;
    let mut captured = capture(clinic, scenario, &values, &Budget::of_each(time_limit)).await?;
    let findings = captured.findings(scenario, None);
    let mut failure = None;
    if let Some(by) = what_if {
        match captured.try_advice(clinic, scenario, &findings, by, time_limit).await {
            Ok(tried) => captured.what_if = tried,
            Err(error) => failure = Some(error),
        }
    }
    let (folder, elsewhere) = saving::save(
        &folder,
        |folder| {
            save(folder, phase, &captured)?;
            folder.write_json("findings.json", &findings)?;
            if what_if.is_some() && failure.is_none() {
                folder.write_json("what_if.json", &captured.what_if)?;
            }
            Ok(Some(folder.path().to_owned()))
        },
        || None,
    );
    Ok(ExplainOutcome { captured, findings, folder, failure: elsewhere.or(failure) })
}

/// Writes `explain_<phase>.txt` and `explain_<phase>.json`.
pub(super) fn save(folder: &Folder, phase: Phase, captured: &Captured) -> record::Result<()> {
    folder.write(&format!("explain_{phase}.txt"), captured.text.as_bytes())?;
    folder.write(&format!("explain_{phase}.json"), captured.json.as_bytes())
}
