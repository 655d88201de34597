//! What one measurement wrote to disk: plain data, and the store that reads and writes it.
//!
//! [`Record`] is the shape of `record.json`. A [`Store`] knows the reports folder: [`Store::prepare`] makes a [`Folder`] to
//! write into before a measurement starts, [`Store::newest`] finds what was written, [`read`] reads one record.

mod activity;
mod agree;
mod agree_histograms;
mod baseline;
mod block_histograms;
mod error;
mod examination;
mod figures;
mod finding;
mod folder;
mod histogram_log;
mod histograms;
mod load_info;
mod model;
mod origin;
mod outcome;
mod phase;
mod plan;
mod price;
mod read;
mod results;
mod room;
mod rounds;
mod sqlstate;
mod store;
mod totals;
mod warning;
mod what_if;

pub use activity::{
    CheckpointActivity, DatabaseActivity, IndexActivity, IoActivity, ServerActivity, StatementActivity, TableActivity,
    WalActivity,
};
pub use baseline::{BASELINE_FORMAT, Baseline};
pub use block_histograms::BlockHistograms;
pub use error::{Error, ErrorKind, Result};
pub use examination::{Examination, SlowestOf};
pub use figures::Percentile;
pub use finding::{Confidence, Finding, Severity};
pub use folder::Folder;
pub use histogram_log::Interval;
pub use histograms::{HISTOGRAMS_FILE, histograms_text, read_histograms};
pub use load_info::{EnoughInfo, LoadInfo, LoadStage, PoolInfo};
pub use model::{
    ArrivalFigures, Client, ConnectionFigures, ErrorCount, FORMAT, PoolUse, Record, Slice, StageFigures,
    StatementFigures, StepFigures, WarmUpFigures,
};
pub use origin::{DatasetInfo, FixInfo, Machine, RewriteInfo, Server, Tool};
pub use outcome::{Capacity, CapacityPoint, Outcome, ThresholdResult, ThresholdUnit};
pub use phase::Phase;
pub use plan::{PlanFigures, PlanNode, PlanUnderLoad, PlansUnderLoad, StatementUnderLoad, ValueSource};
pub use price::{Applied, BreakEven, LockHeld, Operation, Price, WriteCost, WritePrice, WriteProbe, WriteVerdict};
pub use read::{Found, RECORD_FILE, read, read_run, sides_of_run};
pub use results::{ResultDifference, ResultsCheck, StatementResults};
pub use rounds::{Block, BlockStatement, RunInfo};
pub use sqlstate::errors_in_words;
pub use store::{Newest, Store};
pub use totals::{Latency, Totals};
pub use warning::Warning;
pub use what_if::{Trial, TriedPlan, WhatIf};

#[cfg(test)]
pub(crate) mod sample;
