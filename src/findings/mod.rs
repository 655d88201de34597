//! What is wrong in a statement's plans: the rules, and the order of what they find.
//!
//! [`diagnose`] runs the [`RULES`] over a statement's plans.

mod case;
mod diagnose;
mod equality;
mod estimates;
mod fence;
mod memory;
mod plan;
mod redundant;
mod rewrite;
mod rule;
mod rules;
mod scan;
mod scans;
mod unused;
mod vain;

pub use case::{ClassPlan, Examined};
pub use diagnose::diagnose;
pub use rule::Rule;
pub use rules::{RULES, rule};
