//! Flags that say in how many rounds a run measures.

use std::time::Duration;

use clap::Args;

use super::load::positive;
use crate::{
    clinic::{Rounds, RoundsOptions},
    scenario::{BlockLength, Results},
};

/// Most rounds of a run.
const MOST: u32 = 1000;

/// Flags that say in how many rounds a run measures.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rounds")]
pub(super) struct RoundsArgs {
    /// How often both phases are measured, such as 10; auto:MAX stops as soon as all gates are decided, at the latest after
    /// MAX rounds [default: 6]
    #[arg(long, value_name = "N", value_parser = rounds)]
    rounds: Option<Rounds>,
    /// Length of one block, the measurement of one phase in one round: 5s, or a range such as 2s..20s, within which a block
    /// ends as soon as its percentiles have enough samples [default: the scenario's, else 5s..20s]
    #[arg(long, value_name = "TIME[..TIME]", allow_hyphen_values = true, value_parser = BlockLength::parse)]
    block: Option<BlockLength>,
    /// Time limit for comparing the results before and after the fix, such as 1m; hot, typical, cold and absent values come
    /// first [default: the scenario's, else 10s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    results_time_limit: Option<Duration>,
    /// Measure both sides without the fix: the difference is the noise of this machine, which later comparisons report
    #[arg(long)]
    aa: bool,
}

impl RoundsArgs {
    /// What they ask for of the comparison of results.
    pub(super) fn results(&self, results: &mut Results) {
        results.time_limit = self.results_time_limit.unwrap_or(results.time_limit);
    }

    /// What the flags ask for.
    pub(super) fn options(&self) -> RoundsOptions {
        RoundsOptions { rounds: self.rounds, block: self.block, aa: self.aa }
    }
}

fn rounds(text: &str) -> Result<Rounds, String> {
    let (automatic, number) = match text.trim().strip_prefix("auto:") {
        Some(number) => (true, number),
        None => (false, text.trim()),
    };
    let expected = || format!("expected a number of 1 to {MOST}, or auto:MAX with one of 7 to {MOST}");
    let number: u32 = number.parse().map_err(|_| expected())?;
    match automatic {
        false if (1..=MOST).contains(&number) => Ok(Rounds::Fixed(number)),
        true if (7..=MOST).contains(&number) => Ok(Rounds::Automatic(number)),
        _ => Err(expected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_a_number_or_automatic() {
        assert_eq!(rounds("10"), Ok(Rounds::Fixed(10)));
        assert_eq!(rounds(" auto:20 "), Ok(Rounds::Automatic(20)));
        for wrong in ["", "0", "-1", "auto", "auto:", "auto:6", "auto:x", "1001", "6.5"] {
            assert!(rounds(wrong).is_err(), "{wrong}");
        }
    }
}
