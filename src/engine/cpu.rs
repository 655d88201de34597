//! What a thread has cost.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

/// User and system time of the calling thread so far; of the whole process where the system does not tell threads apart.
pub(super) fn cpu_time() -> Duration {
    #[cfg(target_os = "linux")]
    let who = UsageWho::RUSAGE_THREAD;
    #[cfg(not(target_os = "linux"))]
    let who = UsageWho::RUSAGE_SELF;
    getrusage(who).map_or(Duration::ZERO, |usage| {
        [usage.user_time(), usage.system_time()]
            .iter()
            .map(|time| {
                let micros = u64::try_from(time.tv_usec()).unwrap_or(0);
                Duration::from_secs(u64::try_from(time.tv_sec()).unwrap_or(0)) + Duration::from_micros(micros)
            })
            .sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs() {
        let before = cpu_time();
        let mut sum = 0_u64;
        while cpu_time() < before + Duration::from_millis(5) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(sum > 0);
    }
}
