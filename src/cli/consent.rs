//! `--yes`: consent to what a command would run on a server that is not latclinic's own.

use clap::Args;

use crate::{
    clinic::{self, Clinic, Effect, Error, ErrorKind, Job, Reaches, Undertaken, Undertaking, WayBack},
    scenario::Scenario,
    text,
};

/// The flag.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct ConsentArgs {
    /// Run the listed statements on a server that is not latclinic's own. Without --yes, fixes and statements that may write
    /// outside the scenario's schema are listed and not run
    #[arg(long)]
    pub(super) yes: bool,
}

/// Consent to what is in the database alone.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(super) struct WayBackArgs {
    /// Revert the fix with the statements recorded in the database, even if they differ from the scenario file. --yes alone
    /// does not run them on a server that is not latclinic's own
    #[arg(long)]
    recorded_way_back: bool,
}

impl WayBackArgs {
    pub(super) fn way_back(&self) -> WayBack {
        if self.recorded_way_back { WayBack::Recorded } else { WayBack::OfFile }
    }
}

impl ConsentArgs {
    /// Makes sure that a person has agreed to what of the scenario may write outside of its schema, on a server that is not latclinic's
    /// own; the statements are listed in any case.
    ///
    /// # Errors
    /// They have not, or the server cannot be asked what the statements may do.
    pub(super) async fn ask(&self, clinic: &Clinic, scenario: &Scenario, job: Job) -> Result<(), Error> {
        let Some(undertaking) = clinic::undertaking(clinic, scenario, job).await? else { return Ok(()) };
        let Undertaking { place, schema, .. } = &undertaking;
        let beyond = undertaking.reaching(true).count();
        let (intro, refusal) = match job {
            Job::Run { aa, .. } => (run_words(scenario, aa), String::new()),
            Job::Seed { .. } | Job::Execute(_) if beyond == 0 => return Ok(()),
            Job::Seed { .. } => (format!("make and load the schema {schema}"), refusal(beyond, schema)),
            Job::Execute(_) => ("execute the workload repeatedly".to_owned(), refusal(beyond, schema)),
        };
        clinic.note(format!("on {place}: {intro}{}", list(&undertaking)));
        match self.yes {
            true => Ok(()),
            false => Err(not_run(place, &refusal)),
        }
    }

    /// Makes sure that a person has agreed to run the statements of a fix; they are listed in any case.
    ///
    /// # Errors
    /// They have not.
    pub(super) fn ask_for_fix(&self, clinic: &Clinic, plan: &clinic::FixPlan) -> Result<(), Error> {
        if plan.managed || plan.statements.is_empty() {
            return Ok(());
        }
        let mut text = format!("to be run on {}, with a lock_timeout of {:?}:", plan.place, plan.lock_timeout);
        for statement in &plan.statements {
            text.push_str(&format!("\n  {};", statement.replace('\n', "\n  ")));
        }
        clinic.note(text);
        if self.yes { Ok(()) } else { Err(not_run(&plan.place, "")) }
    }
}

fn not_run(place: &str, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("nothing was run on {place}{why}"))
        .with_hint("pass --yes to run these statements there")
}

fn refusal(beyond: usize, schema: &str) -> String {
    match beyond {
        1 => format!(": a statement may write outside the schema {schema}"),
        _ => format!(": {beyond} statements may write outside the schema {schema}"),
    }
}

/// What a run does beside its statements.
fn run_words(scenario: &Scenario, aa: bool) -> String {
    let rolled_back = "execute each operation with some parameters in transactions that are rolled back";
    let then = match (aa, scenario.fix.changes_database()) {
        (true, _) => "revert the fix if it is applied".to_owned(),
        (false, true) => format!(
            "{rolled_back}; between the blocks: writes that are rolled back, VACUUM, and applying and reverting the fix repeatedly"
        ),
        (false, false) => rolled_back.to_owned(),
    };
    format!(
        "make the schema {} and load {} rows, unless they are there; measure the workload, with a CHECKPOINT before each block if the \
         role may; {then}",
        scenario.schema_name(),
        text::count(scenario.rows_by_table().values().sum()),
    )
}

/// Every statement with its place: those first that have to be looked at.
fn list(undertaking: &Undertaking) -> String {
    let schema = &undertaking.schema;
    let mut text = String::new();
    for (beyond, title) in [
        (true, format!("statements that may write outside the schema {schema}:")),
        (false, format!("statements that write only inside the schema {schema}:")),
    ] {
        let statements: Vec<&Undertaken> = undertaking.reaching(beyond).collect();
        if statements.is_empty() {
            continue;
        }
        text.push('\n');
        text.push_str(&title);
        for Undertaken { place, sql, reaches } in statements {
            text.push_str(&format!("\n  {place}"));
            for reach in reaches {
                text.push_str(&format!("\n  - {}", words(reach)));
            }
            text.push_str(&format!("\n      {};", sql.replace('\n', "\n      ")));
        }
    }
    text
}

fn words(reach: &Reaches) -> String {
    match reach {
        Reaches::Named(name) => format!("it changes {name}, which may be outside the schema"),
        Reaches::Anything => "it may do anything".to_owned(),
        Reaches::Effect(effect @ Effect::Calls { .. }) => format!("{effect}, which may do anything"),
        Reaches::Effect(effect) => effect.to_string(),
    }
}
