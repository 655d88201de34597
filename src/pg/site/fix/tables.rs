//! Which tables of the dataset a fix is about.

use crate::scenario::{Scenario, Table, changed_tables};

/// The tables of the dataset that the fix's statements change; none for one that changes settings alone, say.
pub fn tables(scenario: &Scenario) -> Vec<&Table> {
    let statements = scenario.fix.up.statements.iter().chain(&scenario.fix.down.statements);
    let statements: Vec<&str> = statements.map(|statement| statement.text.as_str()).collect();
    let ddl = scenario.dataset.schema.statements.iter().map(|statement| statement.text.as_str());
    let changed = changed_tables(statements, ddl);
    scenario.dataset.tables.iter().filter(|table| changed.contains(&table.name)).collect()
}
