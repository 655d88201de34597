//! The only place that talks to PostgreSQL.

mod connector;
mod error;

pub use connector::Connector;
pub use error::{Error, Result};
