//! What one measurement wrote to disk: plain data, and the store that reads and writes it.
//!
//! [`Record`] is the shape of `record.json`. A [`Store`] knows the reports folder: [`Store::prepare`] makes a [`Folder`] to
//! write into before a measurement starts, [`Store::newest`] finds what was written, [`read`] reads one record.

mod error;
mod figures;
mod folder;
mod histogram_log;
mod model;
mod read;
mod store;

pub use error::{Error, ErrorKind, Result};
pub use figures::Percentile;
pub use folder::Folder;
pub use histogram_log::Interval;
pub use model::{
    Client, DatasetInfo, ErrorCount, FORMAT, FixInfo, Latency, LoadInfo, Machine, Phase, PlanFigures, Record, Server,
    Slice, StatementFigures, Tool, Totals, Warning,
};
pub use read::{Found, RECORD_FILE, read};
pub use store::Store;

#[cfg(test)]
pub(crate) mod sample;
