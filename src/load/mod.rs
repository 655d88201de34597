//! What to send when: the statement mix, parameters from (seed, operation), the schedule. Pure.

mod model;

pub use model::{Load, Model, Operation};
