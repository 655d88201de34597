//! Time in which this process stood still: it was stopped (SIGSTOP), or the machine slept.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest standstill that counts; a busy machine may keep a thread waiting for less.
const LEAST: Duration = Duration::from_secs(1);

/// The same in a window of less than twice that: as long as half of it, but at least this.
const LEAST_IN_SHORT_WINDOW: Duration = Duration::from_millis(500);

/// Finds standstills from how long it is from one look to the next.
#[derive(Debug)]
pub(super) struct Standstills {
    least: Duration,
    last: (Instant, Duration),
    total: Duration,
}

impl Standstills {
    /// For a window of this length.
    pub(super) fn new(window: Duration) -> Self {
        let least = LEAST.min((window / 2).max(LEAST_IN_SHORT_WINDOW));
        Self { least, last: (Instant::now(), since_boot()), total: Duration::ZERO }
    }

    /// Looks at the clocks, as is done at least every `usual`. `counts` says whether what passed until now matters.
    pub(super) fn look(&mut self, usual: Duration, counts: impl FnOnce(Instant) -> bool) {
        let now = (Instant::now(), since_boot());
        let last = std::mem::replace(&mut self.last, now);
        // The one stands still while the machine sleeps.
        let passed = (now.0 - last.0).max(now.1.saturating_sub(last.1));
        let still = passed.saturating_sub(usual);
        if still >= self.least && counts(now.0) {
            self.total += still;
        }
    }

    pub(super) fn total(&self) -> Duration {
        self.total
    }
}

/// Time since the machine was started, that of its sleep included.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// The wall clock goes on while the machine sleeps.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_longer_than_a_busy_machine_takes_counts() {
        let usual = Duration::from_millis(250);
        let mut found = Standstills::new(Duration::from_secs(10));
        for (millis, counts) in [(250, true), (1_200, true), (5_000, false), (2_250, true)] {
            tokio::time::advance(Duration::from_millis(millis)).await;
            found.look(usual, |_| counts);
        }
        assert_eq!(found.total(), Duration::from_secs(2));
        let mut short = Standstills::new(Duration::from_millis(300));
        tokio::time::advance(Duration::from_millis(760)).await;
        short.look(usual, |_| true);
        assert_eq!(short.total(), Duration::from_millis(510));
    }
}
