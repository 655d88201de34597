//! What the catalog of a server says, as facts: tables, their columns, statistics and indexes.

mod tables;

pub use tables::{ColumnFacts, IndexFacts, IndexKey, OperatorFacts, Referring, TableFacts, Tables};
