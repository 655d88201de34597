//! Which executions of a session have their plan shown.
//!
//! In the warm-up, which is discarded, those of the first operation of each script. In the measured window a share of all, which is settled
//! where the warm-up that every session has ends: no setting is ever sent inside a measured operation.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    direct::Direct,
    program::Program,
    rows::Rows,
    samples::{SampledPlan, plan},
    script,
};
use crate::{
    engine::{Failure, FailureKind, Step, Steps, WARM_EXECUTIONS},
    load::{Operation, WARM_UP},
};

/// Plans that are wanted of each statement in a window.
const WANTED: f64 = 20.0;

/// What it takes to write a plan down: generously, so that samples stay below [`SHARE`].
const WRITING: Duration = Duration::from_micros(200);

/// Share of the executions' time that samples may take.
const SHARE: f64 = 0.005;

/// Share of the operations in which a plan may be written down: so few that they are not what a p99 is made of.
const TOUCHED: f64 = 0.001;

/// Part of an execution of the fastest statement that writing a plan down may take where more operations than that may be touched.
const UNFELT: f64 = 0.01;

/// Most plans that are kept of a session's warm-up, and of its window; each statement has its share.
const MOST: usize = 256;

/// How much of a load is sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// Clients times seconds of the measured window, at most.
    pub client_seconds: f64,
    /// Operations after which the window ends, and the clients times seconds that it has at least, where it ends by both.
    pub enough: Option<(f64, f64)>,
    /// Mean pause of a client between operations.
    pub pause: Duration,
    /// Operations of the window, where the load says how many: those of an open load.
    pub arrivals: Option<f64>,
    /// Share of the operations that each script has, 0 to 1.
    pub shares: Vec<f64>,
}

/// One session's part.
pub(crate) struct Sampler {
    scripts: Vec<Known>,
    operations: u64,
    /// The shortest execution of a statement, and the shortest whose plan was shown.
    fastest: Option<Duration>,
    fastest_shown: Option<Duration>,
    is_settled: bool,
    plans: Vec<SampledPlan>,
    /// How many are kept: by statement, of the window and of the warm-up.
    kept: BTreeMap<(usize, bool), usize>,
}

/// What is known of a script.
#[derive(Debug, Clone, Default)]
struct Known {
    /// Whether the plans of an operation were shown.
    is_shown: bool,
    operations: u32,
    /// Executions of each statement.
    executions: BTreeMap<usize, u32>,
    /// Most executions in an operation.
    most: usize,
    /// Operations without a plan written down, and their time.
    timed: (u32, Duration),
    /// Time of an operation with one: what there is where a warm-up had time for no further one.
    shown: Option<Duration>,
}

impl Sampler {
    /// Most notices that are taken of an operation.
    pub(crate) const NOTICES: usize = 4 * MOST;

    pub(crate) fn new(scripts: usize) -> Self {
        Self {
            scripts: vec![Known::default(); scripts],
            operations: 0,
            fastest: None,
            fastest_shown: None,
            is_settled: false,
            plans: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    /// The plans that were shown, and whether some of the window could be.
    pub(crate) fn take(&mut self) -> (Vec<SampledPlan>, bool) {
        (std::mem::take(&mut self.plans), self.is_settled)
    }

    /// Executes an operation.
    pub(crate) async fn run(
        &mut self,
        sampling: &Sampling,
        direct: &mut Direct,
        program: &Program,
        operation: &Operation,
        results: &mut [Rows],
        steps: &mut Steps,
    ) -> Result<(), Failure> {
        let is_warm_up = operation.number & WARM_UP != 0;
        if !is_warm_up || self.is_settled {
            let outcome = script::run(direct, program, operation, results, steps).await;
            self.keep(direct, program, is_warm_up);
            return outcome;
        }
        let shows = !self.scripts[operation.script].is_shown;
        if shows {
            set_rate(direct, 1.0).await?;
        }
        let earlier = steps.executed().len();
        let sent = Instant::now();
        let outcome = script::run(direct, program, operation, results, steps).await;
        let took = sent.elapsed();
        if outcome.as_ref().is_err_and(|failure| failure.kind == FailureKind::Connection) {
            return outcome;
        }
        if shows {
            set_rate(direct, 0.0).await?;
        }
        self.keep(direct, program, is_warm_up);
        if outcome.is_ok() {
            match program.scripts[operation.script].single() {
                Some(statement) => {
                    self.count(operation.script, shows, took, &[Step { statement, service: took, failure: None }]);
                }
                None => self.count(operation.script, shows, took, &steps.executed()[earlier..]),
            }
        }
        self.settle(sampling, direct).await?;
        outcome
    }

    /// Counts an operation of the warm-up that was planned and not executed.
    pub(crate) async fn planned(&mut self, sampling: &Sampling, direct: &mut Direct) -> Result<(), Failure> {
        if self.is_settled { Ok(()) } else { self.settle(sampling, direct).await }
    }

    /// Counts an operation of the warm-up. After the last one that every session has, the rate of the window is set.
    async fn settle(&mut self, sampling: &Sampling, direct: &mut Direct) -> Result<(), Failure> {
        self.operations += 1;
        if self.operations == WARM_EXECUTIONS * self.scripts.len() as u64 {
            set_rate(direct, self.rate(sampling)).await?;
            self.is_settled = true;
        }
        Ok(())
    }

    /// Takes what was shown.
    fn keep(&mut self, direct: &mut Direct, program: &Program, in_warmup: bool) {
        if direct.0.notices().is_empty() {
            return;
        }
        let share = (MOST / program.statements.len().max(1)).max(1);
        for body in direct.0.take_notices(Self::NOTICES) {
            let Some(json) = plan(&body) else { continue };
            let of = |statement: &crate::pg::link::session::program::Statement| json.contains(&statement.shown_as);
            let Some(statement) = program.statements.iter().position(of) else { continue };
            let kept = self.kept.entry((statement, in_warmup)).or_default();
            if *kept < share {
                *kept += 1;
                self.plans.push(SampledPlan { statement, json: json.to_owned(), in_warmup });
            }
        }
    }

    /// Counts an operation that worked.
    fn count(&mut self, script: usize, shows: bool, took: Duration, steps: &[Step]) {
        let of = &mut self.scripts[script];
        of.is_shown |= shows;
        of.operations += 1;
        of.most = of.most.max(steps.len());
        for step in steps {
            *of.executions.entry(step.statement).or_default() += 1;
        }
        let fastest = if shows { &mut self.fastest_shown } else { &mut self.fastest };
        *fastest = steps.iter().map(|step| step.service).chain(*fastest).min();
        match shows {
            true => of.shown = Some(took),
            false => of.timed = (of.timed.0 + 1, of.timed.1 + took),
        }
    }

    /// Share of the statements' executions to sample, 0 to 1: enough for what is wanted of the rarest statement, and no more than may be.
    fn rate(&self, sampling: &Sampling) -> f64 {
        let Some(fastest) = self.fastest.or(self.fastest_shown) else { return 0.0 };
        let mut each = 0.0;
        let mut executions = BTreeMap::<usize, f64>::new();
        for (of, share) in self.scripts.iter().zip(&sampling.shares) {
            each += share
                * match of.timed {
                    (0, _) => of.shown.unwrap_or_default().as_secs_f64(),
                    (count, time) => time.as_secs_f64() / f64::from(count),
                };
            for (statement, count) in &of.executions {
                *executions.entry(*statement).or_default() += share * f64::from(*count) / f64::from(of.operations);
            }
        }
        let rarest = executions.into_values().filter(|an_operation| *an_operation > 0.0).fold(f64::INFINITY, f64::min);
        let sent = sampling.client_seconds / (each + sampling.pause.as_secs_f64()).max(1e-9);
        let sent = match sampling.enough {
            Some((operations, client_seconds)) => {
                sent.min(operations.max(sent * client_seconds / sampling.client_seconds))
            }
            None => sent,
        };
        let expected = rarest * sampling.arrivals.map_or(sent, |arrivals| sent.min(arrivals));
        let part = WRITING.as_secs_f64() / fastest.as_secs_f64().max(1e-9);
        let most = self.scripts.iter().map(|of| of.most).max().unwrap_or(0).max(1);
        let bound = if part <= UNFELT { 1.0 } else { TOUCHED / most as f64 };
        (WANTED / expected.max(1.0)).min(SHARE / part).min(bound).clamp(0.0, 1.0)
    }
}

/// Where that is not known to have worked, the connection is not to be used any more.
async fn set_rate(direct: &mut Direct, rate: f64) -> Result<(), Failure> {
    direct.0.put_query(&format!("SET auto_explain.sample_rate = {rate:.9}"))?;
    let lost = |failure| Failure { kind: FailureKind::Connection, ..failure };
    direct.0.exchange(&mut ()).await.map_err(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampling(shares: &[f64]) -> Sampling {
        Sampling { client_seconds: 40.0, enough: None, pause: Duration::ZERO, arrivals: None, shares: shares.to_vec() }
    }

    /// Scripts with the statements that an operation executes, and the time of each.
    fn sampler(scripts: &[&[(usize, u64)]]) -> Sampler {
        let mut sampler = Sampler::new(scripts.len());
        for (script, statements) in scripts.iter().enumerate() {
            let step = |(statement, micros): &(usize, u64)| Step {
                statement: *statement,
                service: Duration::from_micros(*micros),
                failure: None,
            };
            let steps: Vec<Step> = statements.iter().map(step).collect();
            let took = steps.iter().map(|step| step.service).sum();
            for shows in [true, false, false] {
                sampler.count(script, shows, took, &steps);
            }
        }
        sampler
    }

    fn rate(sampler: &Sampler, sampling: &Sampling) -> f64 {
        (sampler.rate(sampling) * 1e6).round() / 1e6
    }

    #[test]
    fn fast_statements_are_sampled_rarely_and_slow_ones_always() {
        let of = |micros: u64| rate(&sampler(&[&[(0, micros)]]), &sampling(&[1.0]));
        // 20 of 400 000; 20 of 40 000; at most one operation of a thousand; 20 of 400; all.
        assert_eq!([100, 1_000, 10_000, 100_000, 3_000_000].map(of), [0.00005, 0.0005, 0.001, 0.05, 1.0]);
    }

    #[test]
    fn executions_count_and_not_operations() {
        let script: Vec<(usize, u64)> = [(0, 1_000)].into_iter().chain([(1, 1_000); 19]).collect();
        // 2000 operations in the window: of the first statement 1 % would be wanted. A thousandth of them is touched.
        assert_eq!(rate(&sampler(&[&script]), &sampling(&[1.0])), 0.00005);
        let slow: Vec<(usize, u64)> = vec![(0, 100_000); 20];
        // 20 operations of 20 executions.
        assert_eq!(rate(&sampler(&[&slow]), &sampling(&[1.0])), 0.05);
    }

    #[test]
    fn the_fastest_statement_bounds_what_the_slow_ones_would_allow() {
        let mix = sampler(&[&[(0, 50)], &[(1, 1_000_000)]]);
        assert_eq!(rate(&mix, &sampling(&[0.5, 0.5])), 0.001);
        let mix = sampler(&[&[(0, 20)], &[(1, 1_000_000)]]);
        assert_eq!(rate(&mix, &sampling(&[0.5, 0.5])), 0.0005);
        assert_eq!(Sampler::new(1).rate(&sampling(&[1.0])), 0.0, "nothing worked");
    }

    #[test]
    fn what_a_load_sends_is_taken_into_account() {
        let one = sampler(&[&[(0, 100)]]);
        let paused = Sampling { pause: Duration::from_micros(900), ..sampling(&[1.0]) };
        assert_eq!(rate(&one, &paused), 0.0005);
        assert_eq!(rate(&one, &Sampling { arrivals: Some(100_000.0), ..sampling(&[1.0]) }), 0.0002);
    }
}
