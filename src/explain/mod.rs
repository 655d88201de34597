//! Plan JSON of any supported version to one normal form, and figures from it.
//!
//! [`Plan::parse`] reads what `EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON)` of PostgreSQL 14 to 18
//! prints; [`figures`] takes from it what a record keeps.

mod error;
mod figures;
mod plan;
mod read;

pub use error::Error;
pub use figures::figures;
pub use plan::{Actual, Buffers, Node, Plan, Removed};
