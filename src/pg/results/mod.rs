//! The results of a workload's statements, for given parameters, with nothing left behind.

mod cell;
mod rows;
mod script;
mod session;
mod shape;

pub use cell::Form;
pub use rows::{Budget, Digest, Row};
pub use session::{Answer, Executed, ResultsSession};
pub use shape::Shape;
