//! Flags that say in how many rounds a run measures.

use std::time::Duration;

use clap::Args;

use super::load::positive;
use crate::clinic::{Rounds, RoundsOptions};

/// Most rounds of a run.
const MOST: u32 = 1000;

/// Flags that say in how many rounds a run measures.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rounds")]
pub(super) struct RoundsArgs {
    /// How often both phases are measured, such as 10; auto:MAX stops as soon as everything that is gated is decided, after MAX rounds
    /// at the latest [default: 6]
    #[arg(long, value_name = "N", value_parser = rounds)]
    rounds: Option<Rounds>,
    /// Length of one block, the measurement of one phase in one round [default: 5s, or --duration by the rounds]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    block: Option<Duration>,
    /// Measure both sides without the fix: what differs between them is the noise of this machine, and stands beside later verdicts
    #[arg(long)]
    aa: bool,
}

impl RoundsArgs {
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
