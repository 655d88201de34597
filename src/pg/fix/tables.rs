//! Which tables of the dataset a fix is about.

use crate::scenario::{Scenario, Table};

/// The tables of the dataset that the fix's statements name; where they name none, the largest.
///
/// Every word of a statement counts, wherever it stands: a name in a comment or a string costs a probe too many, at worst.
pub fn tables(scenario: &Scenario) -> Vec<&Table> {
    let statements = scenario.fix.up.statements.iter().chain(&scenario.fix.down.statements);
    let words: Vec<&str> = statements
        .flat_map(|statement| statement.text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))))
        .collect();
    let named = |table: &&Table| words.iter().any(|word| *word == table.name || word.to_lowercase() == table.name);
    let all = &scenario.dataset.tables;
    let tables: Vec<&Table> = all.iter().filter(named).collect();
    if tables.is_empty() { all.iter().max_by_key(|table| table.rows).into_iter().collect() } else { tables }
}
