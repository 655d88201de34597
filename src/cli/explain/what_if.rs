//! `--what-if`

use clap::{Args, ValueEnum};

use crate::clinic::TryBy;

/// The flag.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct WhatIfArgs {
    /// Try the indexes that the findings advise and show the cost before and after: with HypoPG if it is installed, otherwise
    /// by building each in the scenario's schema, in a transaction that is rolled back. `costs` and `build` choose one of
    /// the two
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, default_missing_value = "either", require_equals = true)]
    what_if: Option<TryName>,
}

/// How advised indexes are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TryName {
    /// With HypoPG where it is installed, otherwise by building them.
    Either,
    /// With HypoPG: the planner's costs, and nothing is built.
    Costs,
    /// By building them.
    Build,
}

impl WhatIfArgs {
    /// How they are tried; `None` where they are not.
    pub(super) fn by(self) -> Option<TryBy> {
        self.what_if.map(|name| match name {
            TryName::Either => TryBy::Either,
            TryName::Costs => TryBy::Costs,
            TryName::Build => TryBy::Build,
        })
    }
}
