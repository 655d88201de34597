//! Statements, scripts and parameters as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Generator, Value, Weight};

/// What is measured: statements, scripts, or both.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::scenario) struct Workload {
    /// Statements that are operations by themselves, by name.
    #[schemars(extend("minProperties" = 1))]
    pub(in crate::scenario) statements: Option<BTreeMap<String, Statement>>,
    /// Operations of several statements, by name.
    #[schemars(extend("minProperties" = 1))]
    pub(in crate::scenario) scripts: Option<BTreeMap<String, Script>>,
}

/// One statement of the workload.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("oneOf" = [{"required": ["sql"]}, {"required": ["sql_file"]}]))]
pub(in crate::scenario) struct Statement {
    /// One SQL statement with its parameters as `$1`, `$2`, names unqualified.
    pub(in crate::scenario) sql: Option<String>,
    /// File with that statement, relative to the scenario file.
    pub(in crate::scenario) sql_file: Option<String>,
    /// Weight in the mix, above 0; 1 unless given.
    pub(in crate::scenario) weight: Option<Weight>,
    /// A source of values for each `$n`, in order.
    pub(in crate::scenario) parameters: Option<Vec<Parameter>>,
    /// Parameter values for which plans are captured; derived from the parameters unless given.
    pub(in crate::scenario) classes: Classes,
}

/// An operation of several statements, executed in order, each after the end of the one before.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["steps"]))]
pub(in crate::scenario) struct Script {
    /// Weight in the mix, above 0; 1 unless given.
    pub(in crate::scenario) weight: Option<Weight>,
    /// Whether its steps run between BEGIN and COMMIT; they do not unless given.
    pub(in crate::scenario) transaction: bool,
    /// What it executes.
    #[schemars(length(min = 1))]
    pub(in crate::scenario) steps: Option<Vec<Step>>,
}

/// One statement of a script.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["name"], "oneOf" = [{"required": ["sql"]}, {"required": ["sql_file"]}]))]
pub(in crate::scenario) struct Step {
    /// Name, unique in the script; its figures stand under `script.step`.
    #[schemars(length(min = 1))]
    pub(in crate::scenario) name: Option<String>,
    /// One SQL statement with its parameters as `$1`, `$2`, names unqualified.
    pub(in crate::scenario) sql: Option<String>,
    /// File with that statement, relative to the scenario file.
    pub(in crate::scenario) sql_file: Option<String>,
    /// A source of values for each `$n`, in order.
    pub(in crate::scenario) parameters: Option<Vec<Parameter>>,
    /// Parameter values for which plans are captured; derived from the parameters unless given.
    pub(in crate::scenario) classes: Classes,
    /// An earlier step: this one is executed once for each row of its result.
    pub(in crate::scenario) for_each: Option<String>,
}

/// Where a parameter's values come from: exactly one source, and the share of NULLs.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(in crate::scenario) struct Parameter {
    /// A generator that needs no row, a query, or an earlier step.
    #[serde(flatten)]
    pub(in crate::scenario) source: Source,
    /// Shares of the classes of a query's values; all rows alike unless given.
    pub(in crate::scenario) shares: Option<Shares>,
    /// Share of operations in which it is NULL, 0 to 1; 0 unless given.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) null: f64,
}

/// Where a parameter's values come from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Source {
    /// Run once before the load; values are drawn from the first column of its rows.
    Query(String),
    /// From the result of an earlier step of the same script: `{ result = { step = "comments", column = "author_id" } }`.
    Result(ResultColumn),
    /// Drawn by a generator for each operation.
    #[serde(untagged)]
    Generator(Generator),
}

/// A column of the result of an earlier step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct ResultColumn {
    /// Name of the step.
    #[schemars(length(min = 1))]
    pub(in crate::scenario) step: String,
    /// Name of the column in its result.
    #[schemars(length(min = 1))]
    pub(in crate::scenario) column: String,
    /// The column's values of all rows, as an array, instead of one row's; false unless given.
    #[serde(default)]
    pub(in crate::scenario) all: bool,
}

/// How often the classes of a query's values are drawn; its rows come from the most to the least frequent. The sum is 1.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Shares {
    /// Share of the first hundredth of the rows, one at least; 0 unless given.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) hot: f64,
    /// Share of the rows after them up to the middle; 0 unless given.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) typical: f64,
    /// Share of the second half of the rows; 0 unless given.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) cold: f64,
}

/// Parameter values for plans: one value for each `$n`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::scenario) struct Classes {
    /// The most frequent values.
    pub(in crate::scenario) hot: Option<Vec<Value>>,
    /// Values of usual frequency.
    pub(in crate::scenario) typical: Option<Vec<Value>>,
    /// The rarest values.
    pub(in crate::scenario) cold: Option<Vec<Value>>,
    /// Values that the data does not have.
    pub(in crate::scenario) absent: Option<Vec<Value>>,
}
