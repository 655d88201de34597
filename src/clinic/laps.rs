//! Where the time of a run goes.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What a run spends time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spent {
    /// Making the dataset, or finding that it is there.
    Seed,
    /// Finding values for the plans and comparing results.
    Results,
    /// Applying the fix and taking it back.
    Fix,
    /// Connecting, checkpoints, reading the server's counters.
    Around,
    /// Warming up.
    WarmUp,
    /// Measuring, until the last operation has ended.
    Measured,
    /// Capturing plans.
    Plans,
    /// Measuring what writes cost.
    WriteProbe,
}

impl Spent {
    fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Results => "results",
            Self::Fix => "fix",
            Self::Around => "around",
            Self::WarmUp => "warm_up",
            Self::Measured => "measured",
            Self::Plans => "plans",
            Self::WriteProbe => "write_probe",
        }
    }
}

/// A stopwatch that is always running.
#[derive(Debug)]
pub(super) struct Laps {
    since: Instant,
    spent: BTreeMap<Spent, Duration>,
}

impl Laps {
    /// Starts it.
    pub(super) fn start() -> Self {
        Self { since: Instant::now(), spent: BTreeMap::new() }
    }

    /// The time since the last lap was spent on this.
    pub(super) fn lap(&mut self, on: Spent) {
        let now = Instant::now();
        *self.spent.entry(on).or_default() += now.duration_since(self.since);
        self.since = now;
    }

    /// So much of what was put down as `from` was spent on `to`.
    pub(super) fn moved(&mut self, from: Spent, to: Spent, time: Duration) {
        let time = time.min(self.spent.get(&from).copied().unwrap_or_default());
        *self.spent.entry(from).or_default() -= time;
        *self.spent.entry(to).or_default() += time;
    }

    /// Seconds by name.
    pub(super) fn seconds(&self) -> BTreeMap<String, f64> {
        let rounded = |time: &Duration| (time.as_secs_f64() * 1e3).round() / 1e3;
        self.spent.iter().map(|(on, time)| (on.name().to_owned(), rounded(time))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_lost_or_counted_twice() {
        let begun = Instant::now();
        let mut laps = Laps::start();
        for on in [Spent::Seed, Spent::Around, Spent::Seed] {
            std::thread::sleep(Duration::from_millis(2));
            laps.lap(on);
        }
        laps.moved(Spent::Around, Spent::Measured, Duration::from_secs(3600));
        let all: f64 = laps.seconds().values().sum();
        assert!(all >= 0.006 - 0.002 && all <= begun.elapsed().as_secs_f64() + 0.002, "{all}");
        let seconds = laps.seconds();
        assert!(seconds["around"] == 0.0 && seconds["measured"] > 0.0, "{seconds:?}");
    }
}
