//! The only place that talks to PostgreSQL.

mod connector;
mod error;
mod url;

pub use connector::Connector;
pub use error::{Error, Result};
pub use url::UrlError;
