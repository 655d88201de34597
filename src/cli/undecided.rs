//! `--undecided`: what a gate or threshold that could not be decided does to the exit code.

use clap::{Args, ValueEnum};

use super::Exit;
use crate::{record::Outcome, render};

/// The flag.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Verdict")]
pub(super) struct UndecidedArgs {
    /// Exit code if no gate or threshold failed and at least one is undecided: 4 with `fail`, 0 with `pass`
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    undecided: Undecided,
}

/// What an undecided condition counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Undecided {
    #[default]
    Fail,
    Pass,
}

impl UndecidedArgs {
    /// The exit code that the outcome of all conditions asks for.
    pub(super) fn exit(self, outcome: Outcome) -> Exit {
        match (outcome, self.undecided) {
            (Outcome::Passed, _) | (Outcome::Undecided, Undecided::Pass) => Exit::Done,
            (Outcome::Failed, _) => Exit::GateFailed,
            (Outcome::Undecided, Undecided::Fail) => Exit::Undecided,
        }
    }

    /// The same for what a CI system is told.
    pub(super) fn in_reports(self) -> render::Undecided {
        match self.undecided {
            Undecided::Fail => render::Undecided::Fails,
            Undecided::Pass => render::Undecided::Passes,
        }
    }
}
