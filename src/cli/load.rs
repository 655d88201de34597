//! Flags that change the load of a scenario.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::count;
use crate::{
    clinic::{LoadOptions, SharingOption},
    scenario::{Arrivals, Protocol, Threshold, parse_rate},
};

/// Flags that change the load of a scenario.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct LoadArgs {
    /// Concurrent clients, each with its own connection unless --pool or --connect is given [default: the scenario's]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count::clients)]
    clients: Option<u32>,
    /// Threads that drive the clients [default: one per core, at most one per client]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count::threads)]
    threads: Option<u32>,
    /// Open load: operations arrive at this rate, such as 500/s or 30/min, whether or not earlier ones have ended
    /// [default: the scenario's, else a closed load]
    #[arg(long, value_name = "RATE", allow_hyphen_values = true, value_parser = rate)]
    rate: Option<f64>,
    /// How the arrivals of an open load are spread [default: the scenario's, else poisson]
    #[arg(long, value_name = "SPREAD")]
    arrivals: Option<ArrivalsName>,
    /// Skip an operation that would start later than this after its arrival [default: the scenario's, else no limit]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    latency_limit: Option<Duration>,
    /// A client's pause between two operations of a closed load [default: the scenario's, else none]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = not_negative, conflicts_with = "rate")]
    think_time: Option<Duration>,
    /// Measured time of a phase, such as 30s or 2m [default: the scenario's]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    duration: Option<Duration>,
    /// Time before each measurement that is not counted [default: the scenario's]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = not_negative)]
    warmup: Option<Duration>,
    /// Seed of the statement mix, the parameters, the arrivals and the think times [default: the scenario's, else 1]
    #[arg(long, value_name = "N")]
    random_seed: Option<u64>,
    /// How statements are sent: as text, parsed each time, or parsed once per connection [default: the scenario's, else
    /// prepared]
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<ProtocolName>,
    /// Let the clients share a pool of this many connections [default: the scenario's, else no pool]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count::clients)]
    pool: Option<u32>,
    /// How long a client waits for a connection of the pool before its operation fails [default: no limit]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive, conflicts_with = "connect")]
    pool_wait_timeout: Option<Duration>,
    /// Open a new connection for each operation
    #[arg(long, conflicts_with = "pool")]
    connect: bool,
    /// statement_timeout of every session [default: the scenario's, else the server's]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    statement_timeout: Option<Duration>,
    /// How often an operation is retried after a serialization failure or a deadlock [default: the scenario's, else 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count::retries)]
    retries: Option<u32>,
    /// Stop the measurement if more than this share of the operations fails, such as 10% [default: the scenario's, else
    /// never]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = share)]
    error_limit: Option<f64>,
    /// Do not sample plans while the load runs
    #[arg(long)]
    no_plan_samples: bool,
    /// A condition that the measurement must meet, such as 'p(95)<50ms', 'error_rate<1%' or 'NAME:mean<5ms'; may be
    /// repeated
    #[arg(long = "threshold", value_name = "EXPR", allow_hyphen_values = true, value_parser = threshold)]
    thresholds: Vec<Threshold>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ArrivalsName {
    Poisson,
    Constant,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProtocolName {
    Simple,
    Extended,
    Prepared,
}

impl LoadArgs {
    /// What the flags ask for.
    pub(super) fn options(&self) -> LoadOptions {
        LoadOptions {
            clients: self.clients,
            threads: self.threads,
            rate: self.rate,
            arrivals: self.arrivals.map(|name| match name {
                ArrivalsName::Poisson => Arrivals::Poisson,
                ArrivalsName::Constant => Arrivals::Constant,
            }),
            latency_limit: self.latency_limit,
            think_time: self.think_time,
            duration: self.duration,
            no_plan_samples: self.no_plan_samples,
            warmup: self.warmup,
            seed: self.random_seed,
            sharing: match self.pool {
                Some(size) => Some(SharingOption::Pool(size)),
                None => self.connect.then_some(SharingOption::Operation),
            },
            pool_wait_timeout: self.pool_wait_timeout,
            protocol: self.protocol.map(|name| match name {
                ProtocolName::Simple => Protocol::Simple,
                ProtocolName::Extended => Protocol::Extended,
                ProtocolName::Prepared => Protocol::Prepared,
            }),
            statement_timeout: self.statement_timeout,
            retries: self.retries,
            error_limit: self.error_limit,
            thresholds: self.thresholds.clone(),
            gates: Vec::new(),
        }
    }
}

/// Rows of the largest table.
#[derive(Debug, Args)]
pub(super) struct RowsArgs {
    /// Rows of the largest table, such as 100k; the other tables in proportion [default: the scenario's]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count::rows)]
    pub(super) rows: Option<u64>,
}

fn rate(text: &str) -> Result<f64, String> {
    parse_rate(text).map_err(|fault| format!("{}, expected {}", fault.message, fault.expected))
}

pub(super) fn threshold(text: &str) -> Result<Threshold, String> {
    Threshold::parse(text).map_err(|fault| fault.render(text))
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim_end().parse().map(|percent: f64| percent / 100.0),
        None => text.trim().parse(),
    };
    let share = number.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share of 0% to 100%, such as 10%".to_owned())
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

pub(super) fn positive(text: &str) -> Result<Duration, String> {
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

    #[test]
    fn shares_are_percents_or_fractions() {
        assert_eq!((share("10%"), share("0.1"), share(" 100 % "), share("0")), (Ok(0.1), Ok(0.1), Ok(1.0), Ok(0.0)));
        for wrong in ["", "%", "101%", "-1%", "2", "nan", "10 percent"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
