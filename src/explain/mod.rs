//! Plans of any supported version to one normal form, what is wrong in them, and what a record keeps of them.
//!
//! [`Plan::parse`] reads what `EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON)` of PostgreSQL 14 to 18
//! prints, [`read_plans`] what people paste of it, and its text; [`diagnose`] runs the [`RULES`] over it; [`figures`] takes from it what a record keeps.

mod advice;
mod compared;
mod condition;
mod diagnose;
mod draft;
mod equality;
mod error;
mod estimates;
mod feeds;
mod fence;
mod figures;
mod memory;
mod own;
mod paste;
mod plan;
mod read;
mod redundant;
mod relatives;
mod rewrite;
mod rules;
mod runs_in;
mod scans;
mod sql;
mod stopped;
mod tables;
mod tape;
mod text;
mod tree;
mod unused;
mod vain;
mod wanted;
mod words;
mod words_of_explain;

pub use advice::IndexAdvice;
pub use compared::{Compared, compared};
pub use diagnose::{ClassPlan, Examined, diagnose};
pub use error::Error;
pub use figures::figures;
pub use paste::{Damage, MAX_BYTES, PastedPlan, read_plans, too_large};
pub use plan::{
    Actual, Buffers, Conditions, HashAggregate, HashTable, Jit, Memoize, Node, Plan, Removed, Sort, Trigger,
};
pub use relatives::Relative;
pub use rules::{RULES, Rule, rule};
pub use tables::{ColumnFacts, IndexFacts, IndexKey, OperatorFacts, Referring, TableFacts, Tables};
pub use tree::tree;
pub use wanted::{How, Wanted, mentioned, reads_only_tables, wanted, written};
