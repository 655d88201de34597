//! The scenario file as it is written: plain serde shapes, and the JSON Schema that documents them.
//!
//! Sections and named entries are all options here, so that one faulty part hides no fault in another: what a file has
//! to have is in the schema (`required`), which [`super::structure`] checks. Generators are complete or absent.

mod generator;
mod literal;
mod load;
mod workload;

use std::collections::BTreeMap;

use schemars::{
    JsonSchema, Schema,
    transform::{RecursiveTransform, Transform},
};
use serde::Deserialize;
use serde_json::Value as JsonValue;

pub(super) use generator::Array;
pub(super) use generator::Choice;
pub(super) use generator::Column;
pub(super) use generator::Generator;
pub(super) use generator::Length;
pub(super) use generator::Normal;
pub(super) use generator::Sequence;
pub(super) use generator::Template;
pub(super) use generator::Timestamp;
pub(super) use generator::Uniform;
pub(super) use generator::Weight;
pub(super) use literal::Moment;
pub(super) use literal::Value;
pub(super) use load::Connections;
pub(super) use load::Load;
pub(super) use load::Pool;
pub(super) use load::ThinkTime;
pub(super) use workload::Classes;
pub(super) use workload::Parameter;
pub(super) use workload::Script;
pub(super) use workload::Shares;
pub(super) use workload::Source;
pub(super) use workload::Statement;
pub(super) use workload::Step;
pub(super) use workload::Workload;

/// A latclinic scenario: a dataset, a workload, a load and a fix.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "latclinic scenario", extend("required" = ["title", "dataset", "workload", "fix"]))]
pub(super) struct Scenario {
    /// One line that says what the scenario shows.
    #[schemars(length(min = 1))]
    pub title: Option<String>,
    /// Some sentences for a person.
    pub description: String,
    /// Tables and the rule by which each column's values are made.
    pub dataset: Option<Dataset>,
    /// What is measured.
    pub workload: Option<Workload>,
    /// What the load is unless flags say otherwise.
    pub load: Load,
    /// What a measurement has to keep: `p(95)<50ms`, `error_rate<1%`, `throughput>100/s`; of one operation with its name
    /// before a colon: `latest_events:p(99)<200ms`.
    pub thresholds: Vec<Threshold>,
    /// What is compared of the results before and after the fix.
    pub results: Results,
    /// What a comparison of both phases has to keep.
    pub gates: Vec<Gate>,
    /// What is applied between the phases, with its way back.
    pub fix: Option<Fix>,
}

/// What is compared of the results before and after the fix.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Results {
    /// Sets of parameters for which each operation is executed before and after: hot, typical, cold and absent ones, then
    /// drawn ones; 200 unless given.
    #[schemars(range(min = 1, max = 100_000))]
    pub sample: Option<u32>,
    /// How long that may take in all, such as `30s`; sets that there is no time for are not compared. `10s` unless given.
    #[schemars(extend("examples" = ["10s", "1m"]))]
    pub time_limit: Option<String>,
    /// Roles as which it is executed besides the session's own, for row-level security; none unless given.
    pub roles: Vec<String>,
}

/// What a measurement has to keep.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Threshold(
    #[schemars(extend("examples" = ["p(95)<50ms", "error_rate<1%", "throughput>100/s"]))] pub(super) String,
);

/// What a comparison of both phases has to keep.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["expression"]))]
pub(super) struct Gate {
    /// `p99 improves by 2x`, `p95 regresses less than 10%`, `results identical` or `findings none worse`; of one operation with
    /// its name before a dot: `latest_events.p99 regresses less than 10%`.
    #[schemars(extend("examples" = ["p99 improves by 2x", "p95 regresses less than 10%", "results identical"]))]
    pub expression: Option<String>,
}

/// Tables and the rule by which each column's values are made.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["tables"], "oneOf" = [{"required": ["schema"]}, {"required": ["schema_file"]}]))]
pub(super) struct Dataset {
    /// Seed of every draw in the dataset; 1 unless given.
    pub seed: Option<u64>,
    /// DDL that creates the tables with their keys and indexes, names unqualified.
    pub schema: Option<String>,
    /// File with that DDL, relative to the scenario file.
    pub schema_file: Option<String>,
    /// Tables by name, as in the DDL.
    #[schemars(extend("minProperties" = 1))]
    pub tables: Option<BTreeMap<String, Table>>,
}

/// One table of the dataset.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["rows", "columns"]))]
pub(super) struct Table {
    /// Rows to make. `--rows N` gives N to the largest table and scales the others in proportion.
    #[schemars(range(min = 1, max = 10_000_000_000_u64))]
    pub rows: Option<u64>,
    /// Generators by column name. A column that is not here keeps its default.
    pub columns: Option<BTreeMap<String, Column>>,
}

/// What is applied between the phases, with its way back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["title"]))]
pub(super) struct Fix {
    /// One line that says what the fix is.
    #[schemars(length(min = 1))]
    pub title: Option<String>,
    /// SQL that applies it, run statement by statement, each in its own transaction. A fix has this and its way back, or
    /// `statements`, or both.
    pub up: Option<String>,
    /// File with that SQL, relative to the scenario file.
    pub up_file: Option<String>,
    /// SQL that takes it back.
    pub down: Option<String>,
    /// File with that SQL, relative to the scenario file.
    pub down_file: Option<String>,
    /// Statements of the workload that are sent with other SQL in the phase after, by name; a step of a script as `script.step`.
    #[schemars(extend("minProperties" = 1))]
    pub statements: Option<BTreeMap<String, Rewrite>>,
    /// How long a statement of it waits for a lock: `5s` unless given.
    #[schemars(extend("examples" = ["5s"]))]
    pub lock_timeout: Option<String>,
}

/// What a statement of the workload is in the phase after. It has the parameters of the statement that it takes the place of.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("oneOf" = [{"required": ["sql"]}, {"required": ["sql_file"]}]))]
pub(super) struct Rewrite {
    /// One SQL statement with its parameters as `$1`, `$2`, names unqualified.
    pub sql: Option<String>,
    /// File with that statement, relative to the scenario file.
    pub sql_file: Option<String>,
}

/// The JSON Schema of a scenario file.
pub(super) fn json_schema() -> Schema {
    let mut schema = schemars::schema_for!(Scenario);
    RecursiveTransform(without_null).transform(&mut schema);
    schema
}

/// TOML has no null: an optional key is one that is not there.
fn without_null(schema: &mut Schema) {
    if schema.get("default") == Some(&JsonValue::Null) {
        schema.remove("default");
    }
    if let Some(JsonValue::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_mut_slice() {
            let only = only.take();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(JsonValue::Array(options)) = schema.get_mut("anyOf") {
        options.retain(|option| option.get("type").is_none_or(|name| name != "null"));
        if let [JsonValue::Object(only)] = options.as_mut_slice() {
            let only = std::mem::take(only);
            schema.remove("anyOf");
            only.into_iter().for_each(|(key, value)| drop(schema.insert(key, value)));
        }
    }
}
