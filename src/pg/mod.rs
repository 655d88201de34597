//! The only place that talks to PostgreSQL.

mod cancel;
mod capture;
mod catalog;
mod connector;
mod copy;
mod dataset_ledger;
mod describe;
mod error;
pub mod fix;
mod schema;
mod url;
mod keys;
mod seed;
mod seed_session;
mod session;
pub mod facts;
pub mod fix;
mod keys;
mod parameter;
mod schema;
mod seed;
mod seed_session;
mod url;

pub use capture::{CapturedPlan, capture_plan};
pub use catalog::{column_type, quote_identifier, use_schema};
pub use connector::Connector;
pub use dataset_ledger::{DatasetFacts, DatasetState, dataset_state};
pub use describe::describe;
pub use error::{Error, Result};
pub(crate) use schema::command;
pub use seed::{SeededTables, Seeding};
pub use url::UrlError;
pub use seed::{SeededTables, Seeding};
pub use session::{PgSession, PgTarget};
