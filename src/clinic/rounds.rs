//! The plan of a run: how many rounds, of which blocks, in which order.

use std::time::Duration;

use super::{Error, ErrorKind, LoadOptions, PlannedLoad, saving::Extent};
use crate::{draw::Stream, record::Phase, scenario::Scenario, stats};

/// Rounds of a run unless told otherwise: the fewest that a claim needs.
const ROUNDS: u32 = 6;
/// Length of a block unless told otherwise.
const BLOCK: Duration = Duration::from_secs(5);
/// A block's warm-up is this part of it unless told otherwise, and at most that of the scenario.
const WARM_UP_PART: u32 = 5;

/// How often both phases are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounds {
    /// So often.
    Fixed(u32),
    /// Until everything that is gated is decided, at most so often.
    Automatic(u32),
}

/// What of a run is asked for differently.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RoundsOptions {
    /// How often both phases are measured.
    pub rounds: Option<Rounds>,
    /// Length of a block.
    pub block: Option<Duration>,
    /// Measure both sides without the fix.
    pub aa: bool,
}

/// A run as it is going to be.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPlan {
    /// The load of a block.
    pub load: PlannedLoad,
    /// How often both phases are measured.
    pub rounds: Rounds,
    /// Whether both sides are measured without the fix.
    pub aa: bool,
}

impl Rounds {
    /// The most there are.
    pub fn most(self) -> u32 {
        match self {
            Self::Fixed(rounds) | Self::Automatic(rounds) => rounds,
        }
    }

    /// Whether a run ends here if everything is decided.
    pub(super) fn is_look(self, completed: u32) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Automatic(most) => stats::looks(most).contains(&completed),
        }
    }
}

impl RunPlan {
    /// The run of `scenario`, with what is asked for differently.
    ///
    /// # Errors
    /// What is asked for contradicts the scenario or itself; the message names the flag.
    pub fn new(scenario: &Scenario, load: &LoadOptions, options: &RoundsOptions) -> Result<Self, Error> {
        let rounds = options.rounds.unwrap_or(Rounds::Fixed(ROUNDS));
        let usage = |message: &str, hint: &str| Err(Error::new(ErrorKind::Usage, message).with_hint(hint));
        let staged = !scenario.load.stages.is_empty();
        let block = match (options.block, load.duration) {
            (Some(_), Some(_)) => {
                return usage("--block beside --duration: both set the length of a block", "leave one of them away");
            }
            (Some(_), None) if staged => {
                return usage(
                    "--block: the load of the scenario has stages, and a block has all of them",
                    "leave --block away, or change [load] in a scenario file of your own",
                );
            }
            (None, Some(_)) if matches!(rounds, Rounds::Automatic(_)) => {
                return usage(
                    "--duration: the number of rounds is not known before, so it cannot be shared out among them",
                    "say --block, the length of one block",
                );
            }
            (Some(block), None) => Some(block),
            (None, Some(duration)) => Some(duration / rounds.most()),
            (None, None) => (!staged).then_some(BLOCK),
        };
        if options.aa && !load.gates.is_empty() {
            return usage(
                "--gate beside --aa: without the fix there is no change that a gate could be on",
                "leave one of them away",
            );
        }
        let length = block.unwrap_or(scenario.load.duration);
        let warmup = load.warmup.unwrap_or_else(|| scenario.load.warmup.min(length / WARM_UP_PART));
        let of_block = LoadOptions { duration: block, warmup: Some(warmup), ..load.clone() };
        let mut load = of_block.plan(scenario)?;
        if options.aa {
            load.gates.clear();
        }
        Ok(Self { load, rounds, aa: options.aa })
    }

    /// The phase that is measured first in a round, from 1. Of two rounds that follow each other each phase is first in one,
    /// which one the seed decides: what changes evenly over time adds as much to both.
    pub(super) fn first(&self, round: u32) -> Phase {
        let pair = u64::from(round.saturating_sub(1)) / 2;
        let before = Stream::new(self.load.load.seed, &["order"]).at(pair).unit() < 0.5;
        if before == (round % 2 == 1) { Phase::Before } else { Phase::After }
    }

    /// The load of a block of a round, from 1: both blocks send the same, each round something else.
    pub(super) fn block(&self, round: u32) -> PlannedLoad {
        let mut block = self.load.clone();
        // The golden ratio's bits: no two rounds of near seeds are alike.
        block.load.seed = block.load.seed.wrapping_add(u64::from(round).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        block
    }

    /// What is going to be measured, at most.
    pub(super) fn extent(&self, scenario: &Scenario) -> Extent {
        let blocks = self.rounds.most();
        Extent {
            sides: 2,
            blocks: blocks.into(),
            seconds: (self.load.load.duration * blocks).as_secs_f64(),
            operations: scenario.scripts.len() as u64,
        }
    }

    /// Time that the blocks of `rounds` rounds take, without what is done between them.
    pub(super) fn time_of(&self, blocks: u32) -> Duration {
        (self.load.load.warmup + self.load.load.duration) * blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Gate;

    fn events() -> Scenario {
        Scenario::bundled("events").unwrap()
    }

    fn plan(load: &LoadOptions, options: &RoundsOptions) -> Result<RunPlan, Error> {
        RunPlan::new(&events(), load, options)
    }

    fn seconds(seconds: f64) -> Option<Duration> {
        Some(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn a_block_is_five_seconds_unless_told_otherwise() {
        let times = |load: LoadOptions, options| {
            let load = plan(&load, &options).unwrap().load.load;
            (load.duration.as_secs_f64(), load.warmup.as_secs_f64())
        };
        let (load, rounds) = (LoadOptions::default(), RoundsOptions::default());
        assert_eq!(times(load.clone(), rounds), (5.0, 1.0));
        assert_eq!(times(load.clone(), RoundsOptions { block: seconds(2.0), ..rounds }), (2.0, 0.4));
        assert_eq!(times(LoadOptions { duration: seconds(30.0), ..load.clone() }, rounds), (5.0, 1.0));
        assert_eq!(times(LoadOptions { warmup: seconds(3.0), ..load.clone() }, rounds), (5.0, 3.0));
        let long = RoundsOptions { block: seconds(60.0), ..rounds };
        assert_eq!(times(load, long), (60.0, 5.0));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let refused = |load: LoadOptions, options| plan(&load, &options).unwrap_err().to_string();
        let load = LoadOptions { duration: seconds(30.0), ..LoadOptions::default() };
        let options = RoundsOptions::default();
        assert!(refused(load.clone(), RoundsOptions { block: seconds(5.0), ..options }).starts_with("--block beside"));
        let automatic = RoundsOptions { rounds: Some(Rounds::Automatic(20)), ..options };
        assert!(refused(load, automatic).starts_with("--duration: the number of rounds"));
    }

    #[test]
    fn gates_are_on_a_fix_and_not_on_noise() {
        let gate = Gate::parse("p99 improves by 2x").unwrap();
        let (load, options) = (LoadOptions::default(), RoundsOptions { aa: true, ..RoundsOptions::default() });
        let mut scenario = events();
        scenario.gates = vec![gate.clone()];
        assert_eq!(
            RunPlan::new(&scenario, &load, &RoundsOptions::default()).unwrap().load.gates,
            std::slice::from_ref(&gate)
        );
        assert_eq!(RunPlan::new(&scenario, &load, &options).unwrap().load.gates, []);
        let error = plan(&LoadOptions { gates: vec![gate], ..load }, &options).unwrap_err();
        assert!(error.to_string().starts_with("--gate beside --aa"), "{error}");
    }

    #[test]
    fn each_phase_is_first_as_often_and_the_seed_decides_when() {
        let orders: Vec<Vec<Phase>> = (0..20)
            .map(|seed| {
                let load = LoadOptions { seed: Some(seed), ..LoadOptions::default() };
                let plan = plan(&load, &RoundsOptions::default()).unwrap();
                (1..=6).map(|round| plan.first(round)).collect()
            })
            .collect();
        for order in &orders {
            let before = |rounds: &[Phase]| rounds.iter().filter(|phase| **phase == Phase::Before).count();
            assert!(order.chunks(2).all(|pair| before(pair) == 1), "{order:?}");
        }
        assert!(orders.iter().any(|order| *order != orders[0]));
    }

    #[test]
    fn both_blocks_of_a_round_send_the_same_and_each_round_something_else() {
        let plan = plan(&LoadOptions::default(), &RoundsOptions::default()).unwrap();
        let seed = |round| plan.block(round).load.seed;
        assert_eq!(seed(1), seed(1));
        assert!(seed(1) != seed(2) && seed(1) != plan.load.load.seed);
    }
}
