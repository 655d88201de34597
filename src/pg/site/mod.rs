//! A place to work in: its catalog, rows, plans, fix, activity.

pub(crate) mod activity;
pub(crate) mod capture;
pub(crate) mod catalog;
pub(crate) mod copy;
pub(crate) mod dataset_ledger;
pub(crate) mod describe;
pub(crate) mod effects;
pub(crate) mod facts;
pub(crate) mod feed;
pub mod fix;
pub(crate) mod keys;
pub(crate) mod ownership;
pub(crate) mod results;
pub(crate) mod room;
pub(crate) mod schema;
pub(crate) mod script_values;
pub(crate) mod seed;
pub(crate) mod seed_session;
pub(crate) mod stamp;
pub(crate) mod tables;
pub(crate) mod value_columns;
pub(crate) mod value_counts;
pub(crate) mod value_part;
pub(crate) mod value_sample;
pub(crate) mod what_if;
pub(crate) mod write_probe;
