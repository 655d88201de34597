//! The use cases: put the parts together, print nothing.
//!
//! A use case takes a [`Clinic`] (where to work, whom to tell, when to stop) and a scenario, and returns what it did.

mod compare;
mod error;
mod event;
pub mod fix;
mod seed;
pub mod managed;
pub mod explain;
pub mod fix;
mod seed;

pub use compare::{CompareRequest, Compared, compare, write_comparison};
pub use error::{Error, ErrorKind};
pub use event::{Event, Events};
pub use seed::{SeedOptions, SeedOutcome, Seeded, seed};
