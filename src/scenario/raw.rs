//! The scenario file as it is written: plain serde shapes, and the JSON Schema that documents them.
//!
//! Sections and named entries are all options here, so that one faulty part hides no fault in another: what a file has
//! to have is in the schema (`required`), which [`super::structure`] checks. Generators are complete or absent.

use std::collections::BTreeMap;

use schemars::{
    JsonSchema, Schema, SchemaGenerator, json_schema,
    transform::{RecursiveTransform, Transform},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value as JsonValue;

use super::model::{RowOrder, TextKind, UuidVersion};

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
    /// What is applied between the phases, with its way back.
    pub fix: Option<Fix>,
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

/// One generated column: exactly one generator, and the share of NULLs.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(super) struct Column {
    /// How the values are made.
    #[serde(flatten)]
    pub generator: Generator,
    /// Share of rows that are NULL, 0 to 1; 0 unless given.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub null: f64,
}

/// How values are made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Generator {
    /// `start + step * row`: `{ sequence = {} }` counts 1, 2, 3. Columns only.
    Sequence(Sequence),
    /// Always the same value: `{ constant = 7 }`.
    Constant(Value),
    /// Uniform over a range: `{ uniform = { min = 1, max = 6 } }`.
    Uniform(Uniform),
    /// Zipf over whole numbers, `min` the most frequent: `{ zipf = { min = 1, max = 10_000, exponent = 1.0 } }`.
    Zipf(Zipf),
    /// Normal: `{ normal = { mean = 100, deviation = 15, min = 0 } }`.
    Normal(Normal),
    /// One of some values: `{ choice = { values = ["view", "click"], weights = [9, 1] } }`.
    Choice(Choice),
    /// A moment: `{ timestamp = { from = "2025-01-01", to = "2026-01-01", order = "growing" } }`.
    Timestamp(Timestamp),
    /// Text of a length: `{ text = { length = [5, 40], kind = "words" } }`.
    Text(Text),
    /// Text by a pattern: `#` a digit, `@` a lower-case letter, `^` an upper-case letter, `*` a letter or digit, `\` takes
    /// the next character as it is: `{ pattern = "^^-####" }`.
    Pattern(#[schemars(length(min = 1), extend("examples" = ["^^-####"]))] String),
    /// A UUID of version `v4` (random) or `v7` (growing with the row): `{ uuid = "v7" }`.
    Uuid(UuidVersion),
    /// JSON from a template: `{ json = { template = { page = { "$pattern" = "/p/##" } } } }`.
    Json(Json),
    /// An array: `{ array = { of = { uniform = { min = 1, max = 9 } }, length = [0, 5] } }`.
    Array(Array),
    /// A value of a column of the dataset: `{ foreign_key = { table = "users", column = "id", skew = 1.0 } }`. Columns only.
    ForeignKey(ForeignKey),
    /// Random bytes: `{ bytes = { length = 16 } }`.
    Bytes(Bytes),
    /// An address within a network: `{ inet = "10.0.0.0/8" }`.
    Inet(#[schemars(extend("examples" = ["10.0.0.0/8"]))] String),
    /// true or false: `{ boolean = { true_share = 0.1 } }`.
    Boolean(Boolean),
}

/// `start + step * row`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sequence {
    /// Value of the first row; 1 unless given.
    #[serde(default = "one")]
    pub start: i64,
    /// Difference from row to row, not 0; 1 unless given.
    #[serde(default = "one")]
    pub step: i64,
}

/// Uniform over `min..=max`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Uniform {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Digits after the point; 0 unless given.
    #[serde(default)]
    #[schemars(range(max = 15))]
    pub decimals: u32,
}

/// Zipf over the whole numbers `min..=max`: the k-th of them has a frequency in proportion to `1 / k^exponent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Zipf {
    /// Most frequent value.
    pub min: i64,
    /// Rarest value.
    pub max: i64,
    /// Skew, above 0; 1 (the classic law) unless given.
    #[serde(default = "one_point")]
    #[schemars(extend("exclusiveMinimum" = 0), range(max = 20))]
    pub exponent: f64,
}

/// Normal, clamped to `min..=max` where given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Normal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub deviation: f64,
    /// Values below become this.
    pub min: Option<f64>,
    /// Values above become this.
    pub max: Option<f64>,
    /// Digits after the point; 0 unless given.
    #[serde(default)]
    #[schemars(range(max = 15))]
    pub decimals: u32,
}

/// One of some values, by weight.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    /// The values.
    #[schemars(length(min = 1))]
    pub values: Vec<Value>,
    /// A weight above 0 for each value; all alike unless given.
    pub weights: Option<Vec<Weight>>,
}

/// A weight, above 0, relative to the sum of all.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Weight(#[schemars(extend("exclusiveMinimum" = 0))] pub f64);

/// A moment from `from` until before `to`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Timestamp {
    /// First moment: `2025-01-01`, `2025-01-01T08:00:00Z`; UTC where no offset is given.
    pub from: Moment,
    /// Moment after the last.
    pub to: Moment,
    /// `random` unless given; `growing`: later rows are later.
    #[serde(default)]
    pub order: RowOrder,
}

/// Text of a length in characters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    /// `12`, or `[5, 40]` for a length drawn uniformly between both.
    pub length: Length,
    /// What it is made of; `words` unless given.
    #[serde(default)]
    pub kind: TextKind,
}

/// JSON from a template.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Json {
    /// Literal values, with generators at the leaves: a table whose only key is a generator's name after a `$`.
    pub template: Template,
}

/// An array of generated elements.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Array {
    /// Generator of each element: anything but an array or a foreign key.
    pub of: Box<Generator>,
    /// Number of elements: `3`, or `[0, 5]`.
    pub length: Length,
}

/// The value of a column in a drawn row of a table of the dataset.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForeignKey {
    /// Referenced table.
    pub table: String,
    /// Referenced column, generated without NULLs by anything but a foreign key.
    pub column: String,
    /// Zipf exponent over the referenced rows, the first the most frequent; uniform unless given.
    #[schemars(extend("exclusiveMinimum" = 0), range(max = 20))]
    pub skew: Option<f64>,
}

/// Random bytes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bytes {
    /// Number of bytes: `16`, or `[8, 64]`.
    pub length: Length,
}

/// true or false.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Boolean {
    /// Share of true, 0 to 1; 0.5 unless given.
    #[serde(default = "half")]
    #[schemars(range(min = 0, max = 1))]
    pub true_share: f64,
}

/// A length, or the shortest and the longest.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Length {
    /// Always this long.
    Exact(#[schemars(range(max = 1_000_000))] u32),
    /// Uniform between both, which are included.
    Between(#[schemars(range(max = 1_000_000))] u32, #[schemars(range(max = 1_000_000))] u32),
}

/// What is measured.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["statements"]))]
pub(super) struct Workload {
    /// Statements by name.
    #[schemars(extend("minProperties" = 1))]
    pub statements: Option<BTreeMap<String, Statement>>,
}

/// One statement of the workload.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("oneOf" = [{"required": ["sql"]}, {"required": ["sql_file"]}]))]
pub(super) struct Statement {
    /// One SQL statement with its parameters as `$1`, `$2`, names unqualified.
    pub sql: Option<String>,
    /// File with that statement, relative to the scenario file.
    pub sql_file: Option<String>,
    /// Weight in the mix, above 0; 1 unless given.
    pub weight: Option<Weight>,
    /// A source of values for each `$n`, in order.
    pub parameters: Option<Vec<Parameter>>,
    /// Parameter values for which plans are captured; derived from the parameters unless given.
    pub classes: Classes,
}

/// Where a parameter's values come from: a generator that needs no row, or a query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Parameter {
    /// Drawn by a generator for each operation.
    Generator(Generator),
    /// Drawn from the rows of a query.
    Query(Query),
}

/// A parameter that is drawn from the database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// Run once before the load; values are drawn uniformly from the first column of its rows.
    pub query: String,
}

/// Parameter values for plans: one value for each `$n`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Classes {
    /// The most frequent values.
    pub hot: Option<Vec<Value>>,
    /// Values of usual frequency.
    pub typical: Option<Vec<Value>>,
    /// Values that the data does not have.
    pub absent: Option<Vec<Value>>,
}

/// What the load is unless flags say otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Load {
    /// Concurrent clients; 8 unless given.
    #[schemars(range(min = 1, max = 10_000))]
    pub clients: Option<u32>,
    /// Time before the measurement, not counted: `5s`, `1m 30s`; `5s` unless given.
    #[schemars(extend("examples" = ["5s", "0s"]))]
    pub warmup: Option<String>,
    /// Measured time: `20s` unless given.
    #[schemars(extend("examples" = ["20s", "1m 30s"]))]
    pub duration: Option<String>,
    /// Seed of the statement mix and the parameters; 1 unless given.
    pub seed: Option<u64>,
}

/// What is applied between the phases, with its way back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["title"], "allOf" = [
    {"oneOf": [{"required": ["up"]}, {"required": ["up_file"]}]},
    {"oneOf": [{"required": ["down"]}, {"required": ["down_file"]}]}
]))]
pub(super) struct Fix {
    /// One line that says what the fix is.
    #[schemars(length(min = 1))]
    pub title: Option<String>,
    /// SQL that applies it, run statement by statement, each in its own transaction.
    pub up: Option<String>,
    /// File with that SQL, relative to the scenario file.
    pub up_file: Option<String>,
    /// SQL that takes it back.
    pub down: Option<String>,
    /// File with that SQL, relative to the scenario file.
    pub down_file: Option<String>,
    /// How long a statement of it waits for a lock: `5s` unless given.
    #[schemars(extend("examples" = ["5s"]))]
    pub lock_timeout: Option<String>,
}

/// A literal value: a boolean, a number, text, a date or time, or an array of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Value(pub toml::Value);

/// A date or time, as text or as TOML writes it.
#[derive(Debug, Clone)]
pub(super) struct Moment(pub String);

/// A JSON template.
#[derive(Debug)]
pub(super) enum Template {
    /// A literal.
    Literal(toml::Value),
    /// An array of templates.
    Array(Vec<Template>),
    /// An object of templates, in the order of the file.
    Object(Vec<(String, Template)>),
    /// A generated leaf.
    Generated(Box<Generator>),
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

fn one() -> i64 {
    1
}

fn one_point() -> f64 {
    1.0
}

fn half() -> f64 {
    0.5
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            toml::Value::Datetime(moment) => Ok(Self(moment.to_string())),
            other => Err(D::Error::custom(format_args!("expected a date or time, found {}", other.type_str()))),
        }
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_toml(toml::Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Template {
    fn from_toml(value: toml::Value) -> Result<Self, toml::de::Error> {
        Ok(match value {
            toml::Value::Array(items) => Self::Array(items.into_iter().map(Self::from_toml).collect::<Result<_, _>>()?),
            toml::Value::Table(table) if table.keys().any(|key| key.starts_with('$')) => {
                let plain = table.into_iter().map(|(key, value)| (key.trim_start_matches('$').to_owned(), value));
                Self::Generated(Box::new(Generator::deserialize(toml::Value::Table(plain.collect()))?))
            }
            toml::Value::Table(table) => Self::Object(
                table
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::from_toml(value)?)))
                    .collect::<Result<_, toml::de::Error>>()?,
            ),
            literal => Self::Literal(literal),
        })
    }
}

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let element = generator.subschema_for::<Self>();
        json_schema!({
            "description": "A literal value: a boolean, a number, text, a date or time, or an array of them.",
            "anyOf": [
                { "type": "boolean" },
                { "type": "integer", "format": "int64" },
                { "type": "number" },
                { "type": "string" },
                { "type": "string", "format": "date-time" },
                { "type": "array", "items": element },
            ],
        })
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A date or time: 2025-01-01, 2025-01-01T08:00:00Z; UTC where no offset is given.",
            "anyOf": [{ "type": "string", "examples": ["2025-01-01"] }, { "type": "string", "format": "date-time" }],
        })
    }
}

impl JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let element = generator.subschema_for::<Self>();
        let mut alternatives = vec![
            serde_json::json!({ "type": "boolean" }),
            serde_json::json!({ "type": "integer", "format": "int64" }),
            serde_json::json!({ "type": "number" }),
            serde_json::json!({ "type": "string" }),
            serde_json::json!({ "type": "array", "items": element }),
            serde_json::json!({
                "type": "object",
                "propertyNames": { "pattern": "^[^$]" },
                "additionalProperties": element,
            }),
        ];
        let generators = Generator::json_schema(generator);
        let leaves = generators.get("oneOf").and_then(JsonValue::as_array).into_iter().flatten();
        alternatives.extend(leaves.filter_map(|leaf| {
            let (name, schema) = leaf.get("properties")?.as_object()?.iter().next()?;
            let name = format!("${name}");
            Some(serde_json::json!({
                "type": "object",
                "description": leaf.get("description"),
                "properties": { (name.as_str()): schema },
                "required": [name],
                "additionalProperties": false,
            }))
        }));
        json_schema!({
            "description": "A JSON template: literal values, and generators at the leaves as tables whose only key is a \
                generator's name after a `$`.",
            "anyOf": alternatives,
        })
    }
}
