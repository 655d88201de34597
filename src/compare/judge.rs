//! Verdicts: intervals by metric, and Holm's correction where several are judged at once.

use super::{
    evidence::{Evidence, Measured, evidence},
    gate::Interval,
    model::{Method, Metric, MetricName, StatementComparison, Verdict},
};
use crate::{
    record::{Record, RunInfo},
    stats::{self, Claim, ROUNDS_NEEDED},
};

/// Error rate of a family of verdicts.
const ALPHA: f64 = 0.05;

/// How much more of the operations may fail on one side.
const HIDDEN: f64 = 0.001;

/// A metric of the whole workload (`None`) or of an operation.
pub(super) type MetricKey = (MetricName, Option<String>);

/// How metrics are judged.
pub(super) struct Judge<'a> {
    pub(super) method: Method,
    pub(super) tolerance: f64,
    /// Error rate of a family.
    pub(super) alpha: f64,
    pub(super) sides: [Measured<'a>; 2],
}

impl<'a> Judge<'a> {
    /// `run` is that of both records, where they are of one.
    pub(super) fn new(method: Method, tolerance: f64, run: Option<&RunInfo>, sides: [Measured<'a>; 2]) -> Self {
        Self { method, tolerance, alpha: run.map_or(ALPHA, alpha), sides }
    }

    /// Gives the metrics of the workload and of its statements intervals and verdicts. Those that are gated are a family, and the
    /// highest percentiles of several statements are one. Every other metric is judged by itself.
    pub(super) fn judge(&self, metrics: &mut [Metric], statements: &mut [StatementComparison], gated: &[MetricKey]) {
        let several = statements.len() > 1;
        let mut judged: Vec<Judged<'_, 'a>> = Vec::new();
        for metric in metrics.iter_mut().filter(|metric| metric.name.is_of_load()) {
            let evidence = evidence(self.method, metric.name, None, self.sides);
            let family = if gated.contains(&(metric.name, None)) { Family::Gated } else { Family::Alone };
            judged.push(Judged { metric, evidence, family, hides: self.hides(None) });
        }
        for (index, statement) in statements.iter_mut().enumerate() {
            let evidence_of = |name| evidence(self.method, name, Some(index), self.sides);
            let headline = super::model::headline(statement.metrics.iter(), |metric| {
                !matches!(evidence_of(metric.name), Evidence::None(_))
            })
            .map(|metric| metric.name);
            for metric in &mut statement.metrics {
                let evidence = evidence_of(metric.name);
                let family = match () {
                    () if gated.contains(&(metric.name, Some(statement.name.clone()))) => Family::Gated,
                    () if several && headline == Some(metric.name) => Family::Headlines,
                    () => Family::Alone,
                };
                judged.push(Judged { metric, evidence, family, hides: self.hides(Some(index)) });
            }
        }
        for family in [Family::Gated, Family::Headlines] {
            let (mut members, others): (Vec<_>, Vec<_>) =
                judged.into_iter().partition(|judged| judged.family == family);
            judged = others;
            let steps = stats::step_down(members.len(), self.alpha, |index, confidence| {
                self.claim(&members[index], confidence) != Claim::Unclear
            });
            for (member, step) in members.iter_mut().zip(steps) {
                self.put(member, step.confidence, step.decided);
            }
        }
        for alone in &mut judged {
            self.put(alone, 1.0 - self.alpha, true);
        }
    }

    /// On which side more operations failed than on the other: they are not in its percentiles, which may be better for that.
    fn hides(&self, statement: Option<usize>) -> Option<Hides> {
        let [before, after] = self.sides.map(|side| failed_share(&side.found.record, statement));
        match after - before {
            more if more > HIDDEN => Some(Hides { after: true, shares: [before, after] }),
            less if less < -HIDDEN => Some(Hides { after: false, shares: [before, after] }),
            _ => None,
        }
    }

    /// The interval by which a gate on a metric, of the whole workload or of a statement, is judged at a confidence: of rounds both
    /// together. Else why there is none that bears a decision.
    pub(super) fn interval(
        &self,
        name: MetricName,
        statement: Option<usize>,
        confidence: f64,
    ) -> Result<Interval, String> {
        let evidence = evidence(self.method, name, statement, self.sides);
        if let Some(reason) = evidence.too_little() {
            return Err(reason);
        }
        let none = || "it has no interval; measure interleaved rounds with `latclinic run`".to_owned();
        let estimate = evidence.estimate(confidence).ok_or_else(none)?;
        let (mut low, mut high) = (estimate.low, estimate.high);
        if let Some((other_low, other_high)) = evidence.bootstrap(confidence) {
            (low, high) = (low.min(other_low), high.max(other_high));
        }
        match self.hides(statement).filter(|_| name.is_time()) {
            // What is hidden could only make it worse, or better still.
            Some(hides) if (hides.after && low <= 0.0) || (!hides.after && high >= 0.0) => Err(hides.words()),
            _ => Ok(Interval { ratio: estimate.effect.exp(), low: low.exp(), high: high.exp() }),
        }
    }

    /// What may be claimed of a metric: nothing where its samples do not support the value of a side, nor what the operations that
    /// failed may hide.
    fn claim(&self, judged: &Judged<'_, '_>, confidence: f64) -> Claim {
        let Judged { metric, evidence, hides, .. } = judged;
        if metric.before.is_none() || metric.after.is_none() {
            return Claim::Unclear;
        }
        let hidden = hides.as_ref().filter(|_| metric.name.is_time()).map(|hides| hides.after);
        match (evidence.claim(confidence, self.tolerance), hidden) {
            (Claim::Lower | Claim::Within, Some(true)) | (Claim::Higher | Claim::Within, Some(false)) => Claim::Unclear,
            (claim, _) => claim,
        }
    }

    fn put(&self, judged: &mut Judged<'_, '_>, confidence: f64, decided: bool) {
        let claim = if decided { self.claim(judged, confidence) } else { Claim::Unclear };
        let Judged { metric, evidence, hides, .. } = judged;
        metric.verdict = verdict(claim, metric.name);
        let hidden = hides.as_ref().filter(|_| metric.name.is_time() && claim == Claim::Unclear).map(Hides::words);
        metric.reason = match evidence {
            Evidence::None(reason) => reason.clone(),
            _ => evidence.too_little().or(hidden),
        };
        let Some(estimate) =
            evidence.estimate(confidence).filter(|_| metric.before.is_some() && metric.after.is_some())
        else {
            return;
        };
        metric.ratio = Some(estimate.effect.exp());
        metric.ci_low = Some(estimate.low.exp());
        metric.ci_high = Some(estimate.high.exp());
        metric.confidence = Some(confidence);
        let bootstrap = evidence.bootstrap(confidence);
        metric.bootstrap_low = bootstrap.map(|(low, _)| low.exp());
        metric.bootstrap_high = bootstrap.map(|(_, high)| high.exp());
        if let Evidence::Rounds(effects) = evidence {
            metric.effects = effects.iter().map(|effect| effect.exp()).collect();
            let by_t = stats::claim(estimate.low, estimate.high, self.tolerance);
            let enough = effects.len() >= ROUNDS_NEEDED;
            if by_t != Claim::Unclear && claim == Claim::Unclear && enough && decided && metric.reason.is_none() {
                metric.reason = Some("the bootstrap interval over the rounds does not confirm it".into());
            }
        }
    }
}

/// A metric on its way to a verdict.
struct Judged<'m, 'a> {
    metric: &'m mut Metric,
    evidence: Evidence<'a>,
    family: Family,
    hides: Option<Hides>,
}

/// Metrics whose verdicts share an error rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Gated,
    Headlines,
    Alone,
}

/// A side on which more operations failed than on the other.
struct Hides {
    /// Whether it is the side after.
    after: bool,
    /// Shares of both sides.
    shares: [f64; 2],
}

impl Hides {
    fn words(&self) -> String {
        let [before, after] = self.shares.map(|share| format!("{:.1} %", share * 100.0));
        format!(
            "{before} of the operations failed before and {after} after, and failed operations are in no percentile"
        )
    }
}

/// Share of the operations that failed and failed operations are in no percentile: all but timeouts, where they are told apart.
fn failed_share(record: &Record, statement: Option<usize>) -> f64 {
    match statement {
        Some(index) => record.statements.get(index).map_or(0.0, |figures| figures.totals.error_rate),
        None => {
            let timeout = |sqlstate: &str| sqlstate == "57014" || sqlstate == "timeout";
            let failed: u64 = record.errors.iter().filter(|e| !timeout(&e.sqlstate)).map(|e| e.count).sum();
            failed as f64 / record.totals.operations.max(1) as f64
        }
    }
}

/// Error rate that the last look at a run may use: all of it where the number of rounds was fixed.
fn alpha(run: &RunInfo) -> f64 {
    if !run.automatic {
        return ALPHA;
    }
    let looks = stats::looks(run.rounds_asked);
    // A run that was interrupted between two looks is judged as at the next.
    let look = looks.iter().position(|look| *look >= run.rounds).unwrap_or(looks.len() - 1);
    stats::alpha_of_look(look, &looks, ALPHA)
}

fn verdict(claim: Claim, name: MetricName) -> Verdict {
    match (claim, name.more_is_better()) {
        (Claim::Lower, false) | (Claim::Higher, true) => Verdict::Improved,
        (Claim::Higher, false) | (Claim::Lower, true) => Verdict::Regressed,
        (Claim::Within, _) => Verdict::Equivalent,
        (Claim::Unclear, _) => Verdict::Inconclusive,
    }
}
