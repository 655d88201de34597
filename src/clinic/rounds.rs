//! The plan of a run: how many rounds, of which blocks, in which order.

use std::time::Duration;

use super::{Error, ErrorKind, LoadOptions, PlannedLoad, load::refused, saving::Extent};
use crate::{
    draw::Stream,
    load::Enough,
    pg::fix::WayBack,
    record::Phase,
    scenario::{BlockLength, Change, Gate, GateCondition, GateMetric, LoadModel, Scenario},
    stats,
    text::Field,
};

/// Rounds of a run unless told otherwise: the fewest that a claim needs.
const ROUNDS: u32 = 6;
/// Length of a block unless told otherwise.
const BLOCK: BlockLength = BlockLength { least: Duration::from_secs(5), most: Duration::from_secs(20) };
/// The percentile that a block is to have samples for, whatever is gated.
const HEADLINE: f64 = 0.99;
/// How much more arrivals than are needed a block of an open load is planned for: as many as Poisson arrivals may fall short by.
const ARRIVALS_SPARE: f64 = 1.3;
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
    pub block: Option<BlockLength>,
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
    /// How a fix is taken back that is already applied.
    pub way_back: WayBack,
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
    /// What is asked for contradicts the scenario or itself; the message names the field.
    pub fn new(scenario: &Scenario, load: &LoadOptions, options: &RoundsOptions) -> Result<Self, Error> {
        let rounds = options.rounds.unwrap_or(Rounds::Fixed(ROUNDS));
        let conflict = |one: Field, other: Field, why: &str| {
            Err(Error::new(ErrorKind::Usage, format!("{one} conflicts with {other} ({why})"))
                .with_hint("omit one of them")
                .about(&[one, other]))
        };
        let staged = !scenario.load.stages.is_empty();
        let block = match (options.block, load.duration) {
            (Some(_), Some(_)) => {
                return conflict(Field::Block, Field::Duration, "both set the length of a block");
            }
            (Some(_), None) if staged => {
                return Err(refused(
                    Field::Block,
                    "the load of the scenario has stages, and each block goes through all of them",
                ));
            }
            (None, Some(_)) if matches!(rounds, Rounds::Automatic(_)) => {
                let message =
                    format!("{}: the number of rounds is not known, so it cannot be divided", Field::Duration);
                return Err(Error::new(ErrorKind::Usage, message)
                    .with_hint(format!("set the length of one block with {}", Field::Block))
                    .about(&[Field::Duration, Field::Block]));
            }
            (Some(block), None) => Some(block),
            (None, Some(duration)) => Some(BlockLength::fixed(duration / rounds.most())),
            (None, None) => (!staged).then(|| scenario.load.block.unwrap_or(BLOCK)),
        };
        if options.aa && !load.gates.is_empty() {
            return conflict(
                Field::Gate,
                Field::Aa,
                "both sides are without the fix, so there is no change to gate on",
            );
        }
        let least = block.map_or(scenario.load.duration, |block| block.least);
        let warmup = load.warmup.unwrap_or_else(|| scenario.load.warmup.min(least / WARM_UP_PART));
        let of_block = LoadOptions { duration: block.map(|block| block.most), warmup: Some(warmup), ..load.clone() };
        let mut load = of_block.plan(scenario)?;
        if options.aa {
            load.gates.clear();
        }
        if let Some(block) = block.filter(|block| !block.is_fixed()) {
            let samples = samples(scenario, &load.gates, rounds);
            match load.load.model {
                LoadModel::Closed { .. } => load.load.enough = Some(Enough { samples, time: block.least }),
                // Arrivals do not depend on the answers: how long it takes for so many is known now.
                LoadModel::Open { rate, .. } => {
                    let needed = Duration::try_from_secs_f64(ARRIVALS_SPARE * samples as f64 / rate);
                    load.load.duration = needed.unwrap_or(block.most).clamp(block.least, block.most);
                }
            }
        }
        Ok(Self { load, rounds, aa: options.aa, way_back: WayBack::default() })
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

    /// Time that a block takes at least, without its warm-up.
    pub(super) fn least_block(&self) -> Duration {
        let load = &self.load.load;
        load.enough.map_or(load.duration, |enough| enough.time)
    }
}

/// Operations that a block needs: those by which a block has a p99, and all rounds together bound it from above; and as many of an
/// operation that a gate is on.
fn samples(scenario: &Scenario, gates: &[Gate], rounds: Rounds) -> u64 {
    // An automatic run may end at its first look.
    let fewest = match rounds {
        Rounds::Fixed(rounds) => rounds,
        Rounds::Automatic(most) => stats::looks(most).first().copied().unwrap_or(most),
    };
    let needed = |p: f64| stats::samples_of_block(p).max(stats::samples_needed(p).div_ceil(u64::from(fewest.max(1))));
    let total: f64 = scenario.scripts.iter().map(|script| script.weight).sum();
    let of_gate = |gate: &Gate| {
        let GateCondition::Change(Change { operation: Some(operation), metric, .. }) = &gate.condition else {
            return None;
        };
        let p = match metric {
            GateMetric::P50 => 0.5,
            GateMetric::P95 => 0.95,
            GateMetric::P99 => 0.99,
            GateMetric::Throughput => return None,
        };
        let script = scenario.scripts.iter().find(|script| script.name == *operation)?;
        // The mix draws operations: twice the deviation of their number is added.
        let wanted = needed(p) as f64;
        // A little less, so that a quotient that is a little above a whole number is that number.
        Some(((wanted + 2.0 * wanted.sqrt()) * total / script.weight - 1e-6).ceil() as u64)
    };
    gates.iter().filter_map(of_gate).fold(needed(HEADLINE), u64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::LoadDefaults;

    fn events() -> Scenario {
        Scenario::bundled("events").unwrap()
    }

    fn plan(load: &LoadOptions, options: &RoundsOptions) -> Result<RunPlan, Error> {
        RunPlan::new(&events(), load, options)
    }

    fn seconds(seconds: f64) -> Option<Duration> {
        Some(Duration::from_secs_f64(seconds))
    }

    /// The bounds of a block and its warm-up in seconds, and its samples.
    fn times(scenario: &Scenario, load: &LoadOptions, options: &RoundsOptions) -> (f64, f64, f64, Option<u64>) {
        let plan = RunPlan::new(scenario, load, options).unwrap();
        let load = &plan.load.load;
        let seconds = |time: Duration| time.as_secs_f64();
        let samples = load.enough.map(|enough| enough.samples);
        (seconds(plan.least_block()), seconds(load.duration), seconds(load.warmup), samples)
    }

    #[test]
    fn a_block_ends_by_time_and_samples_unless_told_otherwise() {
        let (load, rounds) = (LoadOptions::default(), RoundsOptions::default());
        let scenario = events();
        assert_eq!(times(&scenario, &load, &rounds), (2.0, 20.0, 0.4, Some(100)));
        let silent = Scenario { load: LoadDefaults { block: None, ..scenario.load.clone() }, ..scenario.clone() };
        assert_eq!(times(&silent, &load, &rounds), (5.0, 20.0, 1.0, Some(100)));
        let fixed = RoundsOptions { block: Some(BlockLength::fixed(Duration::from_secs(2))), ..rounds };
        assert_eq!(times(&scenario, &load, &fixed), (2.0, 2.0, 0.4, None));
        let duration = LoadOptions { duration: seconds(30.0), ..load.clone() };
        assert_eq!(times(&scenario, &duration, &rounds), (5.0, 5.0, 1.0, None));
        let warmup = LoadOptions { warmup: seconds(3.0), ..load.clone() };
        assert_eq!(times(&scenario, &warmup, &rounds), (2.0, 20.0, 3.0, Some(100)));
        let bounds = BlockLength { least: Duration::from_secs(60), most: Duration::from_secs(90) };
        let long = RoundsOptions { block: Some(bounds), ..rounds };
        assert_eq!(times(&scenario, &load, &long), (60.0, 90.0, 5.0, Some(100)));
    }

    #[test]
    fn fewer_rounds_need_more_samples_each_and_so_do_gates_on_a_part() {
        let of = |scenario: &Scenario, gates: &[&str], rounds| {
            let gates: Vec<Gate> = gates.iter().map(|gate| Gate::parse(gate).unwrap()).collect();
            samples(scenario, &gates, rounds)
        };
        let mut scenario = events();
        assert_eq!([1, 2, 3, 6, 20].map(|rounds| of(&scenario, &[], Rounds::Fixed(rounds))), [299, 150, 100, 100, 100]);
        assert_eq!(of(&scenario, &["p50 improves by 2x"], Rounds::Automatic(20)), 100);
        let mut rare = scenario.scripts[0].clone();
        (rare.name, rare.weight) = ("rare".into(), scenario.scripts[0].weight / 9.0);
        scenario.scripts.push(rare);
        assert_eq!(of(&scenario, &["rare.p99 regresses less than 10%"], Rounds::Fixed(6)), 1200);
        assert_eq!(of(&scenario, &["rare.throughput improves by 2x"], Rounds::Fixed(6)), 100);
    }

    #[test]
    fn a_block_of_arrivals_is_as_long_as_it_takes_for_them_to_arrive() {
        let at = |rate| {
            let load = LoadOptions { rate: Some(rate), ..LoadOptions::default() };
            times(&events(), &load, &RoundsOptions::default())
        };
        assert_eq!(at(1000.0), (2.0, 2.0, 0.4, None));
        assert_eq!(at(13.0), (10.0, 10.0, 0.4, None));
        assert_eq!(at(1.0), (20.0, 20.0, 0.4, None));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let refused = |load: LoadOptions, options| plan(&load, &options).unwrap_err().to_string();
        let load = LoadOptions { duration: seconds(30.0), ..LoadOptions::default() };
        let options = RoundsOptions::default();
        assert!(
            refused(load.clone(), RoundsOptions { block: Some(BlockLength::fixed(Duration::from_secs(5))), ..options })
                .starts_with("`block` conflicts with `duration`")
        );
        let automatic = RoundsOptions { rounds: Some(Rounds::Automatic(20)), ..options };
        assert!(refused(load, automatic).starts_with("`duration`: the number of rounds"));
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
        assert!(error.to_string().starts_with("`gate` conflicts with `aa`"), "{error}");
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
