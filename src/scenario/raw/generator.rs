//! Columns and generators as they are written.

use schemars::JsonSchema;
use schemars::Schema;
use schemars::SchemaGenerator;
use schemars::json_schema;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde_json::Value as JsonValue;

use super::{Moment, Value};
use crate::scenario::generator_model::{RowOrder, TextKind, UuidVersion};

/// One generated column: exactly one generator, and the share of NULLs.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("unevaluatedProperties" = false))]
pub(in crate::scenario) struct Column {
    /// How the values are made.
    #[serde(flatten)]
    pub(in crate::scenario) generator: Generator,
    /// Share of rows that are NULL, 0 to 1; 0 unless given.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) null: f64,
}

/// How values are made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Generator {
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
pub(in crate::scenario) struct Sequence {
    /// Value of the first row; 1 unless given.
    #[serde(default = "one")]
    pub(in crate::scenario) start: i64,
    /// Difference from row to row, not 0; 1 unless given.
    #[serde(default = "one")]
    pub(in crate::scenario) step: i64,
}

/// Uniform over `min..=max`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Uniform {
    /// Smallest value.
    pub(in crate::scenario) min: f64,
    /// Largest value.
    pub(in crate::scenario) max: f64,
    /// Digits after the point; 0 unless given.
    #[serde(default)]
    #[schemars(range(max = 15))]
    pub(in crate::scenario) decimals: u32,
}

/// Zipf over the whole numbers `min..=max`: the k-th of them has a frequency in proportion to `1 / k^exponent`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Zipf {
    /// Most frequent value.
    pub(in crate::scenario) min: i64,
    /// Rarest value.
    pub(in crate::scenario) max: i64,
    /// Skew, above 0; 1 (the classic law) unless given.
    #[serde(default = "one_point")]
    #[schemars(extend("exclusiveMinimum" = 0), range(max = 20))]
    pub(in crate::scenario) exponent: f64,
}

/// Normal, clamped to `min..=max` where given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Normal {
    /// Mean.
    pub(in crate::scenario) mean: f64,
    /// Standard deviation, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::scenario) deviation: f64,
    /// Values below become this.
    pub(in crate::scenario) min: Option<f64>,
    /// Values above become this.
    pub(in crate::scenario) max: Option<f64>,
    /// Digits after the point; 0 unless given.
    #[serde(default)]
    #[schemars(range(max = 15))]
    pub(in crate::scenario) decimals: u32,
}

/// One of some values, by weight.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Choice {
    /// The values.
    #[schemars(length(min = 1))]
    pub(in crate::scenario) values: Vec<Value>,
    /// A weight above 0 for each value; all alike unless given.
    pub(in crate::scenario) weights: Option<Vec<Weight>>,
}

/// A weight, above 0, relative to the sum of all.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::scenario) struct Weight(#[schemars(extend("exclusiveMinimum" = 0))] pub(in crate::scenario) f64);

/// A moment from `from` until before `to`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Timestamp {
    /// First moment: `2025-01-01`, `2025-01-01T08:00:00Z`; UTC where no offset is given.
    pub(in crate::scenario) from: Moment,
    /// Moment after the last.
    pub(in crate::scenario) to: Moment,
    /// `random` unless given; `growing`: later rows are later.
    #[serde(default)]
    pub(in crate::scenario) order: RowOrder,
}

/// Text of a length in characters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Text {
    /// `12`, or `[5, 40]` for a length drawn uniformly between both.
    pub(in crate::scenario) length: Length,
    /// What it is made of; `words` unless given.
    #[serde(default)]
    pub(in crate::scenario) kind: TextKind,
}

/// JSON from a template.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Json {
    /// Literal values, with generators at the leaves: a table whose only key is a generator's name after a `$`.
    pub(in crate::scenario) template: Template,
}

/// An array of generated elements.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Array {
    /// Generator of each element: anything but an array or a foreign key.
    pub(in crate::scenario) of: Box<Generator>,
    /// Number of elements: `3`, or `[0, 5]`.
    pub(in crate::scenario) length: Length,
}

/// The value of a column in a drawn row of a table of the dataset.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct ForeignKey {
    /// Referenced table.
    pub(in crate::scenario) table: String,
    /// Referenced column, generated without NULLs by anything but a foreign key.
    pub(in crate::scenario) column: String,
    /// Zipf exponent over the referenced rows, the first the most frequent; uniform unless given.
    #[schemars(extend("exclusiveMinimum" = 0), range(max = 20))]
    pub(in crate::scenario) skew: Option<f64>,
}

/// Random bytes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Bytes {
    /// Number of bytes: `16`, or `[8, 64]`.
    pub(in crate::scenario) length: Length,
}

/// true or false.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Boolean {
    /// Share of true, 0 to 1; 0.5 unless given.
    #[serde(default = "half")]
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::scenario) true_share: f64,
}

/// A length, or the shortest and the longest.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::scenario) enum Length {
    /// Always this long.
    Exact(#[schemars(range(max = 1_000_000))] u32),
    /// Uniform between both, which are included.
    Between(#[schemars(range(max = 1_000_000))] u32, #[schemars(range(max = 1_000_000))] u32),
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

/// A JSON template.
#[derive(Debug)]
pub(crate) enum Template {
    /// A literal.
    Literal(toml::Value),
    /// An array of templates.
    Array(Vec<Template>),
    /// An object of templates, in the order of the file.
    Object(Vec<(String, Template)>),
    /// A generated leaf.
    Generated(Box<Generator>),
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
