//! Verdicts: intervals by metric, and Holm's correction where several are judged at once.

use super::{
    evidence::{Evidence, Measured, evidence},
    gate::Interval,
    model::{Method, Metric, MetricName, StatementComparison, Verdict},
};
use crate::{
    record::RunInfo,
    stats::{self, Claim, ROUNDS_NEEDED},
};

/// Error rate of a family of verdicts.
const ALPHA: f64 = 0.05;

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

    /// Gives the metrics of the workload and of its statements intervals and verdicts. Those that are gated are a family; if
    /// none is, the highest percentiles of several statements are. Every other metric is judged by itself.
    pub(super) fn judge(&self, metrics: &mut [Metric], statements: &mut [StatementComparison], gated: &[MetricKey]) {
        let several = statements.len() > 1;
        let mut judged: Vec<(&mut Metric, Evidence<'a>, bool)> = Vec::new();
        for metric in metrics.iter_mut().filter(|metric| metric.name.is_of_load()) {
            let evidence = evidence(self.method, metric.name, None, self.sides);
            let in_family = gated.contains(&(metric.name, None));
            judged.push((metric, evidence, in_family));
        }
        for (index, statement) in statements.iter_mut().enumerate() {
            let evidence_of = |name| evidence(self.method, name, Some(index), self.sides);
            let headline = super::model::headline(statement.metrics.iter(), |metric| {
                !matches!(evidence_of(metric.name), Evidence::None(_))
            })
            .map(|metric| metric.name);
            for metric in &mut statement.metrics {
                let evidence = evidence_of(metric.name);
                let in_family = gated.contains(&(metric.name, Some(statement.name.clone())))
                    || (gated.is_empty() && several && headline == Some(metric.name));
                judged.push((metric, evidence, in_family));
            }
        }
        let (family, others): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(_, _, in_family)| *in_family);
        let steps = stats::step_down(family.len(), self.alpha, |index, confidence| {
            let (metric, evidence, _) = &family[index];
            self.claim(metric, evidence, confidence) != Claim::Unclear
        });
        for ((metric, evidence, _), step) in family.into_iter().zip(steps) {
            self.put(metric, &evidence, step.confidence, step.decided);
        }
        for (metric, evidence, _) in others {
            self.put(metric, &evidence, 1.0 - self.alpha, true);
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
        let none = || "it has no interval; interleaved rounds give one: latclinic run --rounds 6".to_owned();
        let estimate = evidence.estimate(confidence).ok_or_else(none)?;
        let (mut low, mut high) = (estimate.low, estimate.high);
        if let Some((other_low, other_high)) = evidence.bootstrap(confidence) {
            (low, high) = (low.min(other_low), high.max(other_high));
        }
        Ok(Interval { ratio: estimate.effect.exp(), low: low.exp(), high: high.exp() })
    }

    /// What may be claimed of a metric: nothing where its samples do not support the value of a side.
    fn claim(&self, metric: &Metric, evidence: &Evidence<'_>, confidence: f64) -> Claim {
        match (metric.before, metric.after) {
            (Some(_), Some(_)) => evidence.claim(confidence, self.tolerance),
            _ => Claim::Unclear,
        }
    }

    fn put(&self, metric: &mut Metric, evidence: &Evidence<'_>, confidence: f64, decided: bool) {
        let claim = if decided { self.claim(metric, evidence, confidence) } else { Claim::Unclear };
        metric.verdict = verdict(claim, metric.name);
        metric.reason = match evidence {
            Evidence::None(reason) => reason.clone(),
            _ => evidence.too_little(),
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
            if by_t != Claim::Unclear && claim == Claim::Unclear && effects.len() >= ROUNDS_NEEDED && decided {
                metric.reason = Some("the interval by resampling the rounds does not bear it out".into());
            }
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
