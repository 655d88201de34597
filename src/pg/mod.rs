//! The only place that talks to PostgreSQL.

mod catalog;
mod connector;
mod copy;
mod dataset_ledger;
mod error;
mod keys;
mod seed;
mod seed_session;

pub use catalog::{column_type, quote_identifier, use_schema};
pub use connector::Connector;
pub use dataset_ledger::{DatasetFacts, DatasetState, dataset_state};
pub use error::{Error, Result};
pub use seed::{SeededTables, Seeding};
