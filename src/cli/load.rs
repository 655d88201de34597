//! Flags that change the load of a scenario.

use std::time::Duration;

use clap::{Args, value_parser};

use crate::clinic::LoadOptions;

/// Flags that change the load of a scenario.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct LoadArgs {
    /// Concurrent clients, each with a connection of its own
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(u32).range(1..=100_000))]
    clients: Option<u32>,
    /// Threads that drive the clients [default: one a core, at most one a client]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,
    /// Measured time of a phase, such as 30s or 2m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    duration: Option<Duration>,
    /// Discarded time before the measured one
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = not_negative)]
    warmup: Option<Duration>,
    /// Seed of the statement mix and the parameters
    #[arg(long, value_name = "N")]
    random_seed: Option<u64>,
}

impl LoadArgs {
    /// What the flags ask for.
    pub(super) fn options(&self) -> LoadOptions {
        let Self { clients, threads, duration, warmup, random_seed } = *self;
        LoadOptions { clients, threads, duration, warmup, seed: random_seed }
    }
}

/// Rows of the largest table.
#[derive(Debug, Args)]
pub(super) struct RowsArgs {
    /// Rows of the largest table; every other table in proportion
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = rows)]
    pub(super) rows: Option<u64>,
}

fn rows(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|rows| (1..=1_000_000_000_000).contains(rows));
    number.ok_or_else(|| "expected a whole number from 1 to 1000000000000".to_owned())
}

fn not_negative(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a time with its unit, such as 500ms, 30s or 2m".to_owned())?;
    let duration = Duration::try_from(duration).map_err(|_| "a time cannot be negative".to_owned())?;
    if duration > Duration::from_secs(7 * 24 * 3600) {
        return Err("longer than a week".to_owned());
    }
    Ok(duration)
}

fn positive(text: &str) -> Result<Duration, String> {
    match not_negative(text)? {
        Duration::ZERO => Err("must be above 0".to_owned()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_a_unit_and_a_positive_value() {
        assert_eq!(positive("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(positive("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "5", "0s", "-3s", "5 parsecs", "8d", "99999999999999999999s"] {
            assert!(positive(wrong).is_err(), "{wrong}");
        }
        assert_eq!(not_negative("0s"), Ok(Duration::ZERO));
    }
}
