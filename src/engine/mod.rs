//! Drives a [`Target`] through a load and returns a [`Measurement`]. Knows no PostgreSQL and no terminal.
//!
//! [`run`] starts one worker a thread; a worker has its clients, their sessions and a recorder, and shares nothing with the
//! others but the arrivals of an open load; what the recorders hand over four times a second is merged by the conductor.

mod client;
mod conductor;
mod course;
mod cpu;
mod crew;
mod error;
mod flown;
mod ledger;
mod measurement;
mod observer;
mod recorder;
mod run;
mod schedule;
mod standstill;
mod target;
mod times;
mod worker;

#[cfg(test)]
mod tests;

pub use client::WARM_EXECUTIONS;
pub use crew::readable;
pub use error::Error;
pub use measurement::{
    ArrivalFigures, CompactFigures, ConnectionFigures, Ended, Figures, Measurement, SliceFigures, StageFigures,
    StepFigures, WarmUp,
};
pub use observer::{LoadStage, Observer, Progress, Second, Stage};
pub use run::run;
pub use target::{Failure, FailureKind, PoolUse, Session, Step, Steps, Target};
