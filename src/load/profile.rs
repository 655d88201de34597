//! How the number of clients or the rate goes over the measured window.

use std::time::Duration;

use crate::scenario::Stage;

const NS_PER_S: f64 = 1e9;

/// The target of a load, clients or arrivals a second, over the measured window: linear in each stage. Times are nanoseconds from
/// the begin of the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    stages: Vec<Span>,
}

/// A stage and where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    from: f64,
    to: f64,
    /// Integral of the target over the stages before, in target times seconds.
    pub(super) before: f64,
}

impl Profile {
    /// A target that stays at `value` for `duration`.
    pub fn constant(value: f64, duration: Duration) -> Self {
        Self::new(&[Stage { duration, from: value, to: value }])
    }

    /// A target that goes through `stages`.
    pub fn new(stages: &[Stage]) -> Self {
        let (mut start_ns, mut before) = (0_u64, 0.0);
        let span = |stage: &Stage| {
            let length = u64::try_from(stage.duration.as_nanos()).unwrap_or(u64::MAX);
            let span =
                Span { start_ns, end_ns: start_ns.saturating_add(length), from: stage.from, to: stage.to, before };
            (start_ns, before) = (span.end_ns, before + span.integral());
            span
        };
        Self { stages: stages.iter().map(span).collect() }
    }

    /// The end of the window.
    pub fn end_ns(&self) -> u64 {
        self.stages.last().map_or(0, |stage| stage.end_ns)
    }

    /// The integral of the target over the window, in target times seconds: for a rate the number of arrivals to expect.
    pub fn integral(&self) -> f64 {
        self.stages.last().map_or(0.0, |stage| stage.before + stage.integral())
    }

    /// The greatest target.
    pub fn greatest(&self) -> f64 {
        self.stages.iter().fold(0.0, |greatest, stage| stage.from.max(stage.to).max(greatest))
    }

    /// The target that the window begins with; where that is 0, the mean of the first stage with any: what a warm-up holds.
    pub fn initial(&self) -> f64 {
        let first = self.stages.first().map_or(0.0, |stage| stage.from);
        let means = self.stages.iter().map(|stage| f64::midpoint(stage.from, stage.to));
        std::iter::once(first).chain(means).find(|target| *target > 0.0).unwrap_or(0.0)
    }

    /// Index of the stage at a time; from the end of the window on the last.
    pub fn stage_at(&self, ns: u64) -> usize {
        let at = self.stages.partition_point(|stage| stage.end_ns <= ns);
        at.min(self.stages.len().saturating_sub(1))
    }

    /// When the stage at a time ends.
    pub fn stage_end(&self, ns: u64) -> u64 {
        self.stages.get(self.stage_at(ns)).map_or(0, |stage| stage.end_ns)
    }

    /// The target at a time; from the end of the window on what it ends with.
    pub fn at(&self, ns: u64) -> f64 {
        self.stages.get(self.stage_at(ns)).map_or(0.0, |stage| stage.at(ns))
    }

    /// The first time from `ns` on, within the window, at which `client` of a closed load is to send; `ns` itself when it is now,
    /// `None` when it is never again. Client `c`, from 0, sends while the target, rounded, is above `c`.
    pub fn next_active(&self, client: u32, ns: u64) -> Option<u64> {
        self.stages.get(self.stage_at(ns)..)?.iter().find_map(|stage| {
            let (from, to) = stage.active(client);
            let at = from.max(ns);
            (at < to).then_some(at)
        })
    }

    pub(super) fn span(&self, index: usize) -> Option<&Span> {
        self.stages.get(index)
    }
}

impl Span {
    fn seconds(&self) -> f64 {
        (self.end_ns - self.start_ns) as f64 / NS_PER_S
    }

    pub(super) fn integral(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.seconds()
    }

    fn at(&self, ns: u64) -> f64 {
        if ns >= self.end_ns {
            return self.to;
        }
        let passed = ns.saturating_sub(self.start_ns) as f64 / (self.end_ns - self.start_ns) as f64;
        self.from + (self.to - self.from) * passed
    }

    /// The time at which the integral since the stage's begin is `integral`, at most [`Span::integral`]: the root of
    /// `from t + slope t^2 / 2 = integral`, in the form that does not cancel and holds for a slope of 0 too.
    pub(super) fn when(&self, integral: f64) -> u64 {
        let seconds = if self.from == self.to {
            integral / self.from
        } else {
            let slope = (self.to - self.from) / self.seconds();
            // Rounding may leave the end of a ramp down to 0 below 0.
            2.0 * integral / (self.from + (self.from * self.from + 2.0 * slope * integral).max(0.0).sqrt())
        };
        // 0 / 0, at the begin of a ramp from 0, becomes 0.
        self.start_ns.saturating_add((seconds * NS_PER_S).round() as u64).min(self.end_ns)
    }

    /// From when on and until when the target is at least `client + 1/2`; an empty range when never.
    fn active(&self, client: u32) -> (u64, u64) {
        let least = f64::from(client) + 0.5;
        match (self.from >= least, self.to >= least) {
            (true, true) => (self.start_ns, self.end_ns),
            (false, false) => (self.end_ns, self.end_ns),
            (begins, _) => {
                let passed = (least - self.from) / (self.to - self.from);
                let ns = passed * (self.end_ns - self.start_ns) as f64;
                let crossing = self.start_ns.saturating_add(ns.ceil() as u64).min(self.end_ns);
                if begins { (self.start_ns, crossing) } else { (crossing, self.end_ns) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: u64 = 1_000_000_000;

    fn profile(stages: &[(u64, f64, f64)]) -> Profile {
        let stage = |(s, from, to): &(u64, f64, f64)| Stage { duration: Duration::from_secs(*s), from: *from, to: *to };
        Profile::new(&stages.iter().map(stage).collect::<Vec<_>>())
    }

    #[test]
    fn the_target_is_linear_within_stages_and_the_last_one_at_the_end() {
        let profile = profile(&[(10, 0.0, 20.0), (5, 20.0, 20.0), (10, 20.0, 10.0)]);
        let at: Vec<f64> = [0, 5, 10, 12, 20, 25, 99].into_iter().map(|s| profile.at(s * S)).collect();
        assert_eq!(at, [0.0, 10.0, 20.0, 20.0, 15.0, 10.0, 10.0]);
        let stages: Vec<usize> = [0, 9, 10, 14, 15, 25, 99].into_iter().map(|s| profile.stage_at(s * S)).collect();
        assert_eq!(stages, [0, 0, 1, 1, 2, 2, 2]);
        assert_eq!((profile.greatest(), profile.integral(), profile.end_ns()), (20.0, 350.0, 25 * S));
        assert_eq!(profile.initial(), 10.0);
        assert_eq!(self::profile(&[(1, 0.0, 0.0), (1, 5.0, 9.0)]).initial(), 7.0);
        assert_eq!(self::profile(&[(1, 2.0, 9.0)]).initial(), 2.0);
    }

    #[test]
    fn clients_come_and_go_with_the_target() {
        let profile = profile(&[(10, 0.0, 10.0), (10, 10.0, 0.0), (10, 0.0, 0.0), (10, 0.0, 2.0)]);
        // 0 to 10 in 10 s passes 3.5 after 3.5 s, and again on the way back after 16.5 s.
        assert_eq!(profile.next_active(3, 0), Some(3_500_000_000));
        assert_eq!(profile.next_active(3, 4 * S), Some(4 * S));
        assert_eq!(profile.next_active(3, 16_500_000_000), None);
        assert_eq!(profile.next_active(1, 20 * S), Some(30 * S + 7_500_000_000));
        assert_eq!(profile.next_active(9, 0), Some(9_500_000_000));
        assert_eq!(profile.next_active(10, 0), None);
        assert_eq!(profile.next_active(0, 40 * S), None);
        assert_eq!(Profile::constant(2.0, Duration::from_secs(1)).next_active(1, 7), Some(7));
        assert_eq!(Profile::constant(2.0, Duration::from_secs(1)).next_active(2, 7), None);
    }

    proptest! {
        #[test]
        fn a_client_that_is_awaited_is_active_then(
            stages in proptest::collection::vec((1_u64..600_000, 0_u32..=100), 1..5),
            client in 0_u32..100,
            at in 0.0..1.0,
        ) {
            let mut from = 3.0;
            let stages: Vec<Stage> = stages
                .into_iter()
                .map(|(s, to)| {
                    let stage = Stage { duration: Duration::from_secs(s), from, to: f64::from(to) };
                    from = stage.to;
                    stage
                })
                .collect();
            let profile = Profile::new(&stages);
            let ns = (at * profile.end_ns() as f64) as u64;
            let next = profile.next_active(client, ns);
            prop_assert_eq!(next == Some(ns), profile.at(ns).round() > f64::from(client));
            if let Some(next) = next {
                prop_assert!(next >= ns && next < profile.end_ns());
                prop_assert_eq!(profile.next_active(client, next), Some(next));
                prop_assert!(profile.at(next) >= f64::from(client) + 0.5 - 1e-9);
            }
        }
    }
}
