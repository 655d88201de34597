//! The plans of a scenario's statements for several classes of parameter values.

use super::{
    plans::{self, Budget, ClassGiven, Refused},
    values::StatementValues,
};
use crate::{
    catalog::Tables,
    clinic::{Clinic, Error},
    findings::ClassPlan,
    pg::{self, Access},
    record::{PlanFigures, WhatIf},
    scenario::{Scenario, Statement, Value},
};

/// The plans of one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// What goes into `explain_<phase>.txt`: a section for each statement and class, with the plan as PostgreSQL prints it.
    pub text: String,
    /// What goes into `explain_<phase>.json`: an array of `{statement, class, parameters, plan}` with `values_from`,
    /// `value_rows`, `first_ms`, `executions_ms`, `generic_is_same` and `note` beside them, as a record's `plans` have them.
    /// As text: the values of thousands of statements' plans would take several times as much memory.
    pub json: String,
    /// What goes into the record, in the same order.
    pub figures: Vec<PlanFigures>,
    /// The plans by statement, for the rules.
    pub(super) statements: Vec<StatementPlans>,
    /// What the indexes that findings advise would change; empty where they were not tried.
    pub what_if: Vec<WhatIf>,
    /// What the catalog says of their tables.
    pub(super) tables: Tables,
}

/// The plans of one statement of a workload.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StatementPlans {
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) classes: Vec<ClassGiven>,
    pub(super) plans: Vec<ClassPlan>,
    /// Classes without a plan.
    pub(super) refused: Vec<Refused>,
}

/// In the order in which values are found.
const CLASSES: [&str; 4] = ["hot", "typical", "cold", "absent"];

const HEADER: &str = "\
# EXPLAIN (ANALYZE, BUFFERS) as PostgreSQL prints it, for each statement and class of parameter values: of an execution of its own,
# after those of the JSON beside this file, so that their times differ. Each ran in a transaction that was rolled back.
";

/// Captures the plan of every statement of the workload for `values`: hot, typical, cold and absent parameter values, and for any values. The
/// schema is worked in as it stands: whether the fix should be there is not asked.
///
/// # Errors
/// The server cannot be reached, a statement fails, a plan cannot be read, or stopped by a signal.
pub(in crate::clinic) async fn capture(
    clinic: &Clinic,
    scenario: &Scenario,
    values: &[StatementValues],
    budget: &Budget,
) -> Result<Captured, Error> {
    let (schema, connections) = (scenario.schema_name(), &scenario.load.connections);
    let session = pg::UserSession::of_load(clinic.connector(), "explain", &schema, connections).await?;
    let explainer = pg::Explainer::new(&session, clinic.stop(), Access::RolledBack).within(budget.execution);
    // With the generic one.
    let count = |statement: &Statement| if statement.parameters.is_empty() { 1 } else { CLASSES.len() + 1 };
    let mut plans_left: usize = scenario.statements.iter().map(count).sum();
    let (mut text, mut json, mut figures) = (HEADER.to_owned(), String::new(), Vec::new());
    let mut statements = Vec::with_capacity(scenario.statements.len());
    for (index, statement) in scenario.statements.iter().enumerate() {
        clinic.step(format!("explaining {}", statement.name));
        let sql = statement.sql.only();
        let place = format!("{}:{}: statement {}", statement.sql.source, statement.sql.line(), statement.name);
        let explained = pg::Explained { sql, place: &place };
        let (mut given, mut refused) = (Vec::new(), Vec::new());
        // Without parameters it has one plan.
        for class in if statement.parameters.is_empty() { 1..2 } else { 0..CLASSES.len() } {
            let found = &values[index].0[class];
            let of_all: Vec<Vec<Value>> = values.iter().map(|values| values.0[class].values.clone()).collect();
            let (values, parameters) = match found.named {
                true => {
                    let words = found.values.iter().map(ToString::to_string).collect();
                    (explainer.given(&explained, &found.values).await?, words)
                }
                false => match pg::script_values(&session, scenario, index, &of_all, clinic.stop()).await {
                    Ok(values) => values.into_iter().map(|(text, words)| (pg::Given(text), words)).unzip(),
                    // One is left at least: what fails for all is a fault of the step.
                    Err(error) => match error.of_values() {
                        Some(_) if class + 1 < CLASSES.len() || !given.is_empty() => {
                            refused.push(Refused { class: CLASSES[class].to_owned(), words: error.to_string() });
                            continue;
                        }
                        _ => return Err(Error::from(error).interrupted_if(clinic.stop().is_cancelled())),
                    },
                },
            };
            given.push(ClassGiven {
                class: CLASSES[class].to_owned(),
                parameters,
                values,
                values_from: found.from.clone(),
                value_rows: found.rows.clone(),
            });
        }
        let mut plans = Vec::new();
        let of_statement = plans::plans(&explainer, &explained, &statement.name, &given, budget, plans_left).await?;
        refused.extend(of_statement.refused);
        for Refused { class, words } in &refused {
            clinic.note(format!("{} has no plan for {class} values: {words}", statement.name));
            text.push_str(&format!("\n## {}, {class}\n\n{}\nno plan: {words}\n", statement.name, sql.trim()));
        }
        for one in of_statement.captured {
            text.push_str(&section(sql, &one));
            push(&mut json, &entry(&one));
            figures.push(one.figures);
            plans.push(one.plan);
        }
        given.retain(|given: &ClassGiven| refused.iter().all(|refused| refused.class != given.class));
        let (name, sql) = (statement.name.clone(), sql.to_owned());
        statements.push(StatementPlans { name, sql, classes: given, plans, refused });
        plans_left -= count(statement).min(plans_left);
    }
    let tables = explainer.tables(statements.iter().flat_map(|one| &one.plans).map(|one| &one.plan)).await?;
    close(&mut json);
    Ok(Captured { text, json, figures, statements, tables, what_if: Vec::new() })
}

fn section(sql: &str, one: &plans::Captured) -> String {
    let PlanFigures { statement, class, parameters, note, generic_is_same, .. } = &one.figures;
    let mut text = format!("\n## {statement}, {class}\n\n{}\n", sql.trim());
    for (at, value) in parameters.iter().enumerate() {
        let rows = one.figures.value_rows.get(at).copied().flatten();
        let rows = rows.map_or_else(String::new, |rows| format!(" ({rows} rows have it)"));
        text.push_str(&format!("${} = {value}{rows}\n", at + 1));
    }
    if let Some(note) = note {
        text.push_str(&format!("{note}\n"));
    }
    if one.captured.was_executed() && !one.captured.text_executed {
        text.push_str("what follows was planned only\n");
    }
    if *generic_is_same == Some(true) {
        text.push_str("the generic plan is the same\n");
    }
    text.push_str(&format!("\n{}\n", one.captured.text));
    text
}

fn entry(one: &plans::Captured) -> serde_json::Value {
    let figures = &one.figures;
    serde_json::json!({
        "statement": figures.statement,
        "class": figures.class,
        "parameters": figures.parameters,
        "values_from": figures.values_from,
        "value_rows": figures.value_rows,
        "first_ms": figures.first_ms,
        "executions_ms": figures.executions_ms,
        "generic_is_same": figures.generic_is_same,
        "note": figures.note,
        "plan": one.captured.json,
    })
}

/// Adds a value to the text of an array that is open.
fn push(array: &mut String, value: &serde_json::Value) {
    array.push_str(if array.is_empty() { "[\n  " } else { ",\n  " });
    // No string of JSON holds a line break.
    array.push_str(&format!("{value:#}").replace('\n', "\n  "));
}

fn close(array: &mut String) {
    array.push_str(if array.is_empty() { "[]\n" } else { "\n]\n" });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_is_that_of_the_array() {
        let entry = json!({ "plan": [{ "Filter": "a = 'x\ny'", "Rows": 1.25, "Empty": {} }], "note": null });
        for values in [vec![], vec![entry.clone()], vec![entry.clone(), json!([]), entry]] {
            let mut text = String::new();
            values.iter().for_each(|value| push(&mut text, value));
            close(&mut text);
            assert_eq!(text, format!("{:#}\n", serde_json::Value::from(values)));
        }
    }
}
