//! The checked shape of a scenario.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{
    expression::ExpressionFault,
    gate::Gate,
    load_model::LoadDefaults,
    results::Results,
    threshold::Threshold,
    workload_model::{Script, Statement},
};

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

/// A value as a scenario file can write it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// Text; also every type that is written as text (dates, uuid, json, inet, numeric with many digits, bytea as `\x..`).
    Text(String),
    /// An array.
    Array(Vec<Value>),
}

/// A value and its weight in a choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weighted {
    /// The value.
    pub value: Value,
    /// Its weight, above 0, relative to the sum of all.
    pub weight: f64,
}

/// How the values of a column or parameter are made.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Generator {
    /// `start + step * row`.
    Sequence {
        /// Value of the first row.
        start: i64,
        /// Difference from row to row; not 0.
        step: i64,
    },
    /// Always the same.
    Constant(Value),
    /// Uniform over `min..=max`; whole numbers for integer types, `decimals` digits after the point for numerics.
    Uniform {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Digits after the point.
        decimals: u32,
    },
    /// Zipf over the whole numbers `min..=max`: rank 1 is `min` and the most frequent.
    Zipf {
        /// Most frequent value.
        min: i64,
        /// Rarest value.
        max: i64,
        /// Exponent, above 0; 1 is the classic law.
        exponent: f64,
    },
    /// Normal, clamped to `min..=max` where given.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation, above 0.
        deviation: f64,
        /// Lower clamp.
        min: Option<f64>,
        /// Upper clamp.
        max: Option<f64>,
        /// Digits after the point.
        decimals: u32,
    },
    /// One of the given values, by weight.
    Choice(Vec<Weighted>),
    /// A moment within a range, to the microsecond (to the day for dates).
    Timestamp {
        /// First moment, microseconds since 1970-01-01T00:00:00Z.
        from: i64,
        /// Moment after the last, microseconds since 1970-01-01T00:00:00Z.
        to: i64,
        /// Whether later rows are later.
        order: RowOrder,
    },
    /// Text of a length in characters, uniform over `min..=max`.
    Text {
        /// Shortest.
        min_length: u32,
        /// Longest.
        max_length: u32,
        /// What it is made of.
        kind: TextKind,
    },
    /// A pattern: `#` a digit, `@` a lower-case letter, `^` an upper-case letter, `*` a letter or digit,
    /// `\` takes the next character as it is.
    Pattern(String),
    /// A UUID.
    Uuid(UuidVersion),
    /// JSON from a template.
    Json(JsonTemplate),
    /// An array whose length is uniform over `min_length..=max_length`.
    Array {
        /// How each element is made.
        element: Box<Generator>,
        /// Shortest.
        min_length: u32,
        /// Longest.
        max_length: u32,
    },
    /// The value of a column in a row of another table of the dataset.
    ForeignKey {
        /// Referenced table.
        table: String,
        /// Referenced column, generated by anything but a foreign key.
        column: String,
        /// Zipf exponent over the referenced rows; `None` is uniform.
        exponent: Option<f64>,
    },
    /// Random bytes whose number is uniform over `min_length..=max_length`.
    Bytes {
        /// Fewest.
        min_length: u32,
        /// Most.
        max_length: u32,
    },
    /// An address within a network, IPv4 `a.b.c.d/n` or IPv6.
    Inet {
        /// Network address.
        network: std::net::IpAddr,
        /// Prefix length.
        prefix: u8,
    },
    /// true with this probability.
    Boolean {
        /// 0 to 1.
        true_share: f64,
    },
}

/// Whether values follow the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOrder {
    /// Any row may have any value.
    #[default]
    Random,
    /// Later rows have later values.
    Growing,
}

/// What generated text is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextKind {
    /// Lower-case words with spaces between them, cut to the length.
    #[default]
    Words,
    /// Letters and digits.
    Alphanumeric,
    /// Lower-case hexadecimal digits.
    Hex,
}

/// Version of a generated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UuidVersion {
    /// Random.
    V4,
    /// Growing with the row, a millisecond a row from 2025-01-01.
    V7,
}

/// A JSON template: literal values, with generators at the leaves written as `{ "$zipf": { .. } }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonTemplate {
    /// A literal scalar.
    Literal(Value),
    /// An array of templates.
    Array(Vec<JsonTemplate>),
    /// An object of templates, in the order of the file.
    Object(Vec<(String, JsonTemplate)>),
    /// A generated leaf.
    Generated(Box<Generator>),
}

/// SQL text and where a person finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlText {
    /// File, or file and key, as shown to a person.
    pub source: String,
    /// All of the text.
    pub text: String,
    /// The statements in it, in order.
    pub statements: Vec<SqlStatement>,
}

impl SqlText {
    /// The statement of a text that has one; the text itself where it was not taken apart.
    pub fn only(&self) -> &str {
        self.statements.first().map_or(self.text.as_str(), |statement| statement.text.as_str())
    }

    /// Line of its first statement, from 1.
    pub fn line(&self) -> usize {
        self.statements.first().map_or(1, |statement| statement.line)
    }
}

/// One statement of an SQL text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlStatement {
    /// Without the closing semicolon and surrounding space.
    pub text: String,
    /// Line of its first token in [`SqlText::text`], from 1.
    pub line: usize,
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

pub(super) fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
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

impl fmt::Display for Value {
    /// As a person reads it: text quoted as SQL quotes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "'{}'", value.replace('\'', "''")),
            Self::Array(values) => {
                f.write_str("ARRAY[")?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str("]")
            }
        }
    }
}
