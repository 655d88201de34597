//! The results of a workload's statements, for given parameters, with nothing left behind.

pub(crate) mod cell;
pub(crate) mod rows;
pub(crate) mod script;
pub(crate) mod session;
pub(crate) mod shape;

pub use cell::Form;
pub use rows::{Budget, Digest, Row};
pub use session::{Answer, Executed, ResultsSession};
pub use shape::Shape;
