//! Captures the plans of a scenario's statements for several classes of parameter values.

use std::path::PathBuf;

use super::{Clinic, Error, ErrorKind, Reports, fix, seed};
use crate::{
    explain::{Plan, figures},
    load::{ClassValues, Workload},
    pg,
    record::{self, Folder, Phase, PlanFigures},
    scenario::{Classes, Scenario, Statement, Value},
};

/// The plans of one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// What goes into `explain_<phase>.txt`: a section for each statement and class, with the plan as PostgreSQL prints it.
    pub text: String,
    /// What goes into `explain_<phase>.json`: an array of `{statement, class, parameters, plan}`.
    pub json: serde_json::Value,
    /// What goes into the record, in the same order.
    pub figures: Vec<PlanFigures>,
}

/// A class: its name, its values, and what the scenario names for it.
type Class = (&'static str, fn(&ClassValues) -> &Vec<Value>, fn(&Classes) -> &Option<Vec<Value>>);

const CLASSES: [Class; 4] = [
    ("hot", |values| &values.hot, |named| &named.hot),
    ("typical", |values| &values.typical, |named| &named.typical),
    ("cold", |values| &values.cold, |named| &named.cold),
    ("absent", |values| &values.absent, |named| &named.absent),
];

const HEADER: &str = "\
# EXPLAIN (ANALYZE, BUFFERS) as PostgreSQL prints it, for each statement and class of parameter values.
# Each was explained once before, to warm the cache, and ran in a transaction that was rolled back.
# The JSON beside this file comes from a later execution of its own: its times differ from these.
";

/// The plans of a phase, and where they were saved.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainOutcome {
    /// The plans.
    pub captured: Captured,
    /// The folder that holds them.
    pub folder: PathBuf,
}

/// Captures and saves the plans of one phase.
///
/// # Errors
/// The dataset is missing or another one, the fix is not in the phase's state, a statement fails, or the files cannot be
/// written.
pub async fn explain(
    clinic: &Clinic,
    scenario: &Scenario,
    phase: Phase,
    seed: u64,
    reports: &Reports,
) -> Result<ExplainOutcome, Error> {
    let folder = reports.prepare(&scenario.id, "explain")?;
    seed::require(clinic.connector(), scenario).await?;
    fix::require_fix(clinic, scenario, phase).await?;
    let scenario = &*fix::in_phase(scenario, phase);
    let facts = pg::describe(clinic.connector(), scenario).await?;
    let workload = Workload::new(scenario, &facts, seed)?;
    let captured = capture(clinic, scenario, &workload).await?;
    save(&folder, phase, &captured)?;
    Ok(ExplainOutcome { captured, folder: folder.path().to_owned() })
}

/// Writes `explain_<phase>.txt` and `explain_<phase>.json`.
pub(super) fn save(folder: &Folder, phase: Phase, captured: &Captured) -> record::Result<()> {
    folder.write(&format!("explain_{phase}.txt"), captured.text.as_bytes())?;
    folder.write_json(&format!("explain_{phase}.json"), &captured.json)
}

/// Captures the plan of every statement of the workload for hot, typical, cold and absent parameter values. The schema is worked
/// in as it stands: whether the fix should be there is not asked.
///
/// # Errors
/// The server cannot be reached, a statement fails, a plan cannot be read, or it was told to stop.
pub(super) async fn capture(clinic: &Clinic, scenario: &Scenario, workload: &Workload) -> Result<Captured, Error> {
    let (connector, stop) = (clinic.connector(), clinic.stop());
    let client = connector.connect("explain").await?;
    pg::set_up(&client, &scenario.schema_name(), &scenario.load.connections).await?;
    let all: Vec<ClassValues> =
        (0..scenario.statements.len()).map(|index| workload.classes(index)).collect::<Result<_, _>>()?;
    let mut captured = Captured { text: HEADER.to_owned(), json: serde_json::Value::Null, figures: Vec::new() };
    let mut plans = Vec::new();
    for (index, statement) in scenario.statements.iter().enumerate() {
        let classes = match statement.parameters.is_empty() {
            // It has one plan.
            true => &CLASSES[1..2],
            false => &CLASSES[..],
        };
        for (class, values_of, named) in classes {
            clinic.step(format!("explaining {} with {class} values", statement.name));
            let interrupted = |error| Error::from(error).interrupted_if(stop.is_cancelled());
            let values: Vec<Vec<Value>> = all.iter().map(|values| values_of(values).clone()).collect();
            let values = match named(&statement.classes) {
                Some(_) => values[index].clone(),
                None => pg::script_values(&client, scenario, index, &values, stop).await.map_err(interrupted)?,
            };
            let plan = pg::capture_plan(&client, statement, &values, stop).await.map_err(interrupted)?;
            let parameters: Vec<String> = values.iter().map(ToString::to_string).collect();
            captured.text.push_str(&section(statement, class, &parameters, &plan.text));
            let normal = Plan::from_json(&plan.json).map_err(|cause| {
                Error::new(ErrorKind::Failed, format!("cannot read the plan of {} ({class})", statement.name))
                    .with_source(cause)
            })?;
            plans.push(serde_json::json!({
                "statement": statement.name,
                "class": class,
                "parameters": parameters,
                "plan": plan.json,
            }));
            captured.figures.push(figures(&normal, &statement.name, class, parameters));
        }
    }
    captured.json = plans.into();
    Ok(captured)
}

fn section(statement: &Statement, class: &str, parameters: &[String], plan: &str) -> String {
    let sql = statement.sql.statements.first().map_or(statement.sql.text.trim(), |only| only.text.as_str());
    let values: String = (1..).zip(parameters).map(|(number, value)| format!("${number} = {value}\n")).collect();
    format!("\n## {}, {class}\n\n{sql}\n{values}\n{plan}\n", statement.name)
}
