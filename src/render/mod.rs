//! One file a format; rows are made once, in one place.
//!
//! [`comparison`], [`brief`], [`record`] and [`examination`] make a [`Document`]; [`terminal`] and [`markdown`] write one, [`json`] writes the data
//! themselves. A new format is one file that writes a [`Document`].
//!
//! [`junit`], [`summary`], [`annotations`] and [`code_quality`] tell a CI system what came of a comparison's gates, or what failed: each
//! writes a [`CiReport`].

mod annotations;
mod baselines;
mod brief;
mod ci_report;
mod code_quality;
mod columns;
mod comparison;
mod document;
mod examination;
mod findings;
mod gates;
mod json;
mod junit;
mod markdown;
mod output;
mod plan_changes;
mod plan_tree;
mod plan_trees;
mod price;
mod record;
mod results;
mod rows;
mod rules;
mod summary;
mod terminal;
mod tree;
mod under_load;
mod what_if;

pub use annotations::annotations;
pub use baselines::baselines;
pub use brief::brief;
pub use ci_report::{CiReport, Undecided};
pub use code_quality::code_quality;
pub use comparison::{comparison, headline};
pub use document::{Align, Block, Cell, Column, Document, Item, Table, Tone, Tree, TreeColumn, TreeNode};
pub use examination::examination;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use output::harmless;
pub use record::record;
pub use rows::threshold_value;
pub use rules::{rule, rules};
pub use summary::summary;
pub use terminal::terminal;
