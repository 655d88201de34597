//! The only place that talks to PostgreSQL.

mod activity;
mod capture;
mod catalog;
mod connector;
mod copy;
mod dataset_ledger;
mod describe;
mod error;
mod facts;
pub mod fix;
mod keys;
mod parameter;
mod schema;
mod seed;
mod seed_session;
mod session;
mod socket;
mod url;
mod wire;

pub use activity::Activity;
pub use capture::{CapturedPlan, capture_plan};
pub use catalog::{column_type, quote_identifier, use_schema};
pub use connector::Connector;
pub use dataset_ledger::{DatasetFacts, DatasetState, dataset_state};
pub use describe::describe;
pub use error::{Error, Result};
pub use facts::{checkpoint, server_facts};
pub(crate) use schema::command;
pub use seed::{SeededTables, Seeding};
pub use session::{PgSession, PgTarget};
pub use url::UrlError;
