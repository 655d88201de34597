//! What one measurement wrote to disk: plain data, and the store that reads and writes it.

mod model;

pub use model::{
    Client, DatasetInfo, ErrorCount, FORMAT, FixInfo, Latency, LoadInfo, Machine, Phase, PlanFigures, Record, Server,
    Slice, StatementFigures, Tool, Totals, Warning,
};
