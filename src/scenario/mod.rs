//! A scenario: dataset, workload, load and fix, read from a TOML file and checked.
//!
//! [`Scenario`] is the checked form that every other module uses; nothing behind it has to doubt it again.
//!
//! A file goes through three steps, and each hands on what it found sound, so that all faults are told at once: syntax
//! (TOML's own parser, which recovers), shape (`structure`, against the JSON Schema of `raw`), meaning (`validate`).

mod assigned;
mod block_length;
mod bundled;
mod ddl;
mod declared;
mod error;
mod expression;
mod faults;
mod files;
mod foreign_form;
mod foreign_words;
mod gate;
mod generator;
mod generator_model;
mod load_model;
mod misfit;
mod model;
mod nearest;
mod node;
mod rate;
mod raw;
mod reach;
mod read;
mod recipe;
mod results;
mod row_rules;
mod schema;
mod seconds;
mod selects_into;
mod sql;
mod sql_text;
mod structure;
mod threshold;
mod token;
mod validate;
mod words;
mod workload_model;

pub use assigned::{Assigned, assigned};
pub use block_length::BlockLength;
pub use bundled::bundled;
pub use declared::DeclaredType;
pub use error::Error;
pub use expression::ExpressionFault;
pub use faults::{Fault, Faults};
pub use foreign_form::{ForeignForm, Instead, foreign_form};
pub use gate::{Change, Gate, GateCondition, GateMetric};
pub use generator_model::{Generator, JsonTemplate, RowOrder, TextKind, UuidVersion, Value, Weighted};
pub use load_model::{
    Arrivals, Connections, LoadDefaults, LoadModel, Pool, Protocol, Recycling, Sharing, Stage, ThinkDistribution,
    ThinkTime,
};
pub use misfit::Misfit;
pub use model::{Column, Dataset, Fix, Origin, Rewrite, Scenario, Table};
pub use nearest::nearest;
pub use rate::{GREATEST_RATE, RateFault, parse_rate};
pub use reach::{Beyond, Known, Name, Reading, RelationKind, changed_tables, reach, reach_unordered, stays_within};
pub use read::{check, json_schema, load};
pub use recipe::GENERATOR_VERSION;
pub use results::Results;
pub use row_rules::{Count, RowRules, row_rules};
pub use selects_into::selects_into;
pub use sql::{placeholders, statements};
pub use sql_text::{SqlStatement, SqlText};
pub use threshold::{Metric, Relation, Threshold};
pub use workload_model::{ClassShares, Classes, Parameter, ParameterSource, Script, Statement, Step};
