//! The workload of a checked scenario.

use serde::Serialize;

use super::{
    generator_model::{Generator, Value},
    sql_text::SqlText,
};

/// A named statement of the workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Name, unique in the workload.
    pub name: String,
    /// Its SQL: exactly one statement, with `$1..$n`.
    pub sql: SqlText,
    /// One for each `$n`, in order.
    pub parameters: Vec<Parameter>,
    /// Parameter values for plans, where the scenario names them.
    pub classes: Classes,
}

/// An operation of the mix: statements that are executed in order, each after the end of the one before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Script {
    /// Name, unique among the operations.
    pub name: String,
    /// Weight in the mix, above 0.
    pub weight: f64,
    /// Whether its steps run between BEGIN and COMMIT.
    pub transaction: bool,
    /// What it executes; never empty.
    pub steps: Vec<Step>,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Index of its statement in [`Scenario::statements`](super::Scenario::statements).
    pub statement: usize,
    /// Index of an earlier step of the script: this one is executed once for each row of that one's last result, in order.
    /// `None` executes it once.
    pub for_each: Option<usize>,
}

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Where its values come from.
    pub source: ParameterSource,
    /// Share of operations in which it is NULL instead, 0 to 1; always 0 for a value of a result.
    pub null_share: f64,
}

/// Where a parameter's values come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterSource {
    /// Drawn for each operation.
    Generator(Generator),
    /// Drawn from the first column of a query's rows, fetched at the start of a phase.
    Query {
        /// The query.
        sql: SqlText,
        /// Shares of its hot, typical and cold values; `None` draws uniformly.
        shares: Option<ClassShares>,
    },
    /// Taken from the result of an earlier step of the same script. Where that step returned no row, the step that needs the
    /// value is not executed.
    Result {
        /// Index of the step in the script.
        step: usize,
        /// Name of the column in its result.
        column: String,
        /// The column's values of all rows, as an array, instead of one row's: that of the row in hand where this step is
        /// executed for each row of that one, otherwise the first.
        all: bool,
    },
}

/// How often the classes of a query's values are drawn. Its rows come from the most to the least frequent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassShares {
    /// Share of the first hundredth of the rows, one at least.
    pub hot: f64,
    /// Share of the rows after them up to the middle.
    pub typical: f64,
    /// Share of the second half.
    pub cold: f64,
}

/// Parameter values for plans, one a parameter; `None` is derived from the distribution.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Classes {
    /// The most frequent values.
    pub hot: Option<Vec<Value>>,
    /// Values of usual frequency.
    pub typical: Option<Vec<Value>>,
    /// The rarest values.
    pub cold: Option<Vec<Value>>,
    /// Values that the data does not have.
    pub absent: Option<Vec<Value>>,
}

impl Script {
    /// A statement that is an operation by itself: `statement` is its index.
    pub fn of_statement(name: &str, weight: f64, statement: usize) -> Self {
        Self { name: name.to_owned(), weight, transaction: false, steps: vec![Step { statement, for_each: None }] }
    }
}

impl From<ParameterSource> for Parameter {
    fn from(source: ParameterSource) -> Self {
        Self { source, null_share: 0.0 }
    }
}
