//! Captures the plans of a scenario's statements for several classes of parameter values.

use tokio_util::sync::CancellationToken;

use super::{
    error::{Error, ErrorKind},
    event::{Event, Events},
};
use crate::{
    explain::{Plan, figures},
    pg::{self, Connector},
    record::PlanFigures,
    scenario::{Scenario, Statement, Value},
};

/// Name of a class of parameter values (`hot`, `typical`, `absent`), and a value for each parameter.
pub type Class = (String, Vec<Value>);

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

const HEADER: &str = "\
# EXPLAIN (ANALYZE, BUFFERS) as PostgreSQL prints it, for each statement and class of parameter values.
# Each statement ran once before, to warm the cache, and in a transaction that was rolled back.
# The JSON beside this file comes from a later execution of its own: its times differ from these.
";

/// Captures the plan of every statement of the scenario for each of its classes; `classes` has one entry a statement, in
/// the order of the workload. The schema is worked in as it stands: whether the fix should be there is not asked.
///
/// # Errors
/// The server cannot be reached, a statement fails, a plan cannot be read, or `stop` was given.
pub async fn capture(
    connector: &Connector,
    scenario: &Scenario,
    classes: &[Vec<Class>],
    events: &dyn Events,
    stop: &CancellationToken,
) -> Result<Captured, Error> {
    let client = connector.connect("explain").await?;
    pg::use_schema(&client, &scenario.schema_name()).await?;
    let mut captured = Captured { text: HEADER.to_owned(), json: serde_json::Value::Null, figures: Vec::new() };
    let mut plans = Vec::new();
    for (statement, classes) in scenario.statements.iter().zip(classes) {
        for (class, values) in classes {
            events.event(Event::Step(format!("explaining {} with {class} values", statement.name)));
            let plan = pg::capture_plan(&client, statement, values, stop)
                .await
                .map_err(|error| Error::from(error).interrupted_if(stop.is_cancelled()))?;
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
