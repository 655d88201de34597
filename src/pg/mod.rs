//! The only place that talks to PostgreSQL.

mod cancel;
mod connector;
mod error;
pub mod fix;
mod schema;
mod url;

pub use connector::Connector;
pub use error::{Error, Result};
pub(crate) use schema::command;
pub use url::UrlError;
