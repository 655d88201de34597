//! Plans of any supported version, JSON and text, to one normal form.
//!
//! [`Plan::parse`] reads what `EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, WAL, FORMAT JSON)` of PostgreSQL 14 to 18
//! prints, [`read_plans`] what people paste of it, and its text; [`figures`] takes from it what a record keeps.

pub(crate) mod damage;
pub(crate) mod enclosing;
pub(crate) mod equal_columns;
pub(crate) mod error;
pub(crate) mod feeding;
pub(crate) mod figures;
pub(crate) mod json;
pub(crate) mod known_words;
pub(crate) mod model;
pub(crate) mod names;
pub(crate) mod own_time;
pub(crate) mod paste;
pub(crate) mod relatives;
pub(crate) mod stopped;
pub(crate) mod text;
pub(crate) mod tree;
pub(crate) mod unfinished_node;
pub(crate) mod wanted;

pub use damage::Damage;
pub use equal_columns::{Compared, compared};
pub use error::Error;
pub use figures::figures;
pub use model::{
    Actual, Buffers, Conditions, HashAggregate, HashTable, Jit, Memoize, Node, Plan, Removed, Sort, Trigger,
};
pub use paste::read::{MAX_BYTES, PastedPlan, read_plans, too_large};
pub use relatives::Relative;
pub use tree::tree;
pub use wanted::parameters::{How, Wanted, mentioned, reads_only_tables, wanted, written};
