//! Drives a [`Target`] through a load and returns a [`Measurement`]. Knows no PostgreSQL and no terminal.

mod measurement;
mod observer;
mod target;

pub use measurement::{Ended, Figures, Measurement, SliceFigures};
pub use observer::{Observer, Progress, Stage};
pub use target::{Failure, FailureKind, Session, Target};
