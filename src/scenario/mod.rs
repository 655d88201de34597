//! A scenario: dataset, workload, load and fix, read from a TOML file and checked.
//!
//! [`Scenario`] is the checked form that every other module uses; nothing behind it has to doubt it again.

mod model;

pub use model::{
    Classes, Column, Dataset, Fix, Generator, JsonTemplate, LoadDefaults, Origin, ParameterSource, RowOrder, Scenario,
    SqlStatement, SqlText, Statement, Table, TextKind, UuidVersion, Value, Weighted,
};
