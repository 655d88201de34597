//! The only place that talks to PostgreSQL.

mod catalog;
mod connector;
mod describe;
mod error;
mod session;

pub use connector::Connector;
pub use describe::describe;
pub use error::{Error, Result};
pub use session::{PgSession, PgTarget};
