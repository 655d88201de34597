//! Flags that say how a comparison is judged.

use clap::Args;

use super::load::share;
use crate::{clinic::Judging, compare::TOLERANCE, scenario::Gate};

/// Flags that say how a comparison is judged.
#[derive(Debug, Args)]
#[command(next_help_heading = "Verdict")]
pub(super) struct JudgingArgs {
    /// Tolerance: a difference up to this counts as none, such as 5% [default: 2%]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = share)]
    tolerance: Option<f64>,
}

impl JudgingArgs {
    /// What the flags ask for, with these gates.
    pub(super) fn judging(&self, gates: &[Gate]) -> Judging {
        Judging { tolerance: self.tolerance.unwrap_or(TOLERANCE), gates: gates.to_vec() }
    }
}
