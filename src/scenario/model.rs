//! The checked shape of a scenario.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;

use super::{
    expression::ExpressionFault,
    gate::Gate,
    load_model::LoadDefaults,
    results::Results,
    threshold::Threshold,
    workload_model::{Script, Statement},
};
use crate::scenario::{generator_model::Generator, seconds::as_seconds, sql_text::SqlText};

/// A checked scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scenario {
    /// Identifier, `[a-z][a-z0-9_]*`, at most 40 bytes: the file's stem. Names the schema `latclinic_<id>`.
    pub id: String,
    /// One line for a person.
    pub title: String,
    /// Some sentences for a person; may be empty.
    pub description: String,
    /// Where it came from.
    pub origin: Origin,
    /// Tables and how their rows are made.
    pub dataset: Dataset,
    /// Every statement under load: those that are operations by themselves, in name order, then the steps of transaction
    /// scripts, named `script.step`; never empty.
    pub statements: Vec<Statement>,
    /// The operations of the mix: a script of one step for each statement that is an operation by itself, under its name, and
    /// the transaction scripts; in name order; never empty.
    pub scripts: Vec<Script>,
    /// What the load is unless flags say otherwise.
    pub load: LoadDefaults,
    /// What is applied between the phases.
    pub fix: Fix,
    /// What a measurement has to keep.
    pub thresholds: Vec<Threshold>,
    /// What is compared of the results before and after the fix.
    pub results: Results,
    /// What a comparison of both phases has to keep.
    pub gates: Vec<Gate>,
    /// Rows that its largest table was scaled to, where it was.
    #[serde(skip)]
    pub rows_asked: Option<u64>,
}

/// Where a scenario came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Bundled into the binary.
    Bundled,
    /// Read from this file.
    File(PathBuf),
}

/// Tables and the rule by which each column's values are made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dataset {
    /// Seed of every draw in the dataset.
    pub seed: u64,
    /// DDL that creates the tables, with their keys and indexes.
    pub schema: SqlText,
    /// Tables by name, in name order; never empty.
    pub tables: Vec<Table>,
}

/// One table of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Name as in the DDL.
    pub name: String,
    /// Rows to make, at least 1.
    pub rows: u64,
    /// Generated columns by name, in name order. Columns that are not here keep their default.
    pub columns: Vec<Column>,
}

/// One generated column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Name as in the DDL.
    pub name: String,
    /// How its values are made.
    pub generator: Generator,
    /// Share of rows that are NULL, 0 to 1.
    pub null_share: f64,
}

/// What is applied between the phases, with its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// One line for a person.
    pub title: String,
    /// Statements that apply it; none where it is a rewrite alone.
    pub up: SqlText,
    /// Statements that take it back; none where it is a rewrite alone.
    pub down: SqlText,
    /// `lock_timeout` while a statement of it runs.
    #[serde(rename = "lock_timeout_s", serialize_with = "as_seconds")]
    pub lock_timeout: Duration,
    /// Statements of the workload that are sent with other SQL in the phase after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<Rewrite>,
}

/// What a statement of the workload is in the phase after, with the same parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rewrite {
    /// Index of the statement in [`Scenario::statements`].
    pub statement: usize,
    /// Its SQL in the phase after: exactly one statement.
    pub sql: SqlText,
}

impl Fix {
    /// Whether there is something to apply to the database. Otherwise it is a rewrite alone, which is sent or not.
    pub fn changes_database(&self) -> bool {
        !self.up.statements.is_empty()
    }
}

impl Scenario {
    /// Name of the schema that holds the scenario in the target database.
    pub fn schema_name(&self) -> String {
        format!("latclinic_{}", self.id)
    }

    /// The same scenario with its statements as they are sent in the phase after.
    #[must_use]
    pub fn rewritten(&self) -> Self {
        let mut scenario = self.clone();
        for Rewrite { statement, sql } in &self.fix.rewrites {
            scenario.statements[*statement].sql = sql.clone();
        }
        scenario
    }

    /// Rows of the largest table.
    pub fn rows(&self) -> u64 {
        self.dataset.tables.iter().map(|table| table.rows).max().unwrap_or(0)
    }

    /// The same scenario with `rows` in its largest table and every other table in proportion, at least one row each.
    pub fn with_rows(mut self, rows: u64) -> Self {
        let largest = self.rows().max(1);
        for table in &mut self.dataset.tables {
            let scaled = u128::from(table.rows) * u128::from(rows) / u128::from(largest);
            table.rows = u64::try_from(scaled).unwrap_or(u64::MAX).max(1);
        }
        self.rows_asked = Some(rows);
        self
    }

    /// Every name that figures stand under: the operations, then the steps of scripts as `script.step`.
    pub fn figure_names(&self) -> impl Iterator<Item = &str> {
        let operations = self.scripts.iter().map(|script| script.name.as_str());
        let steps = self.statements.iter().map(|statement| statement.name.as_str());
        operations.chain(steps.filter(|name| self.scripts.iter().all(|script| script.name != **name)))
    }

    /// The first of `thresholds` that is about an operation that the scenario does not have, and its fault.
    pub fn unknown_operation<'t>(
        &self,
        thresholds: impl IntoIterator<Item = &'t Threshold>,
    ) -> Option<(&'t Threshold, ExpressionFault)> {
        let mut unknown = thresholds
            .into_iter()
            .filter_map(|threshold| Some((threshold, threshold.unknown_operation(self.figure_names())?)));
        unknown.next()
    }

    /// Rows by table name.
    pub fn rows_by_table(&self) -> BTreeMap<String, u64> {
        self.dataset.tables.iter().map(|table| (table.name.clone(), table.rows)).collect()
    }
}
