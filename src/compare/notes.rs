//! What a reader has to know before believing a comparison.

use super::model::{Comparison, MetricName, Side};
use crate::record::{Phase, Warning};

/// Rounds that a claim needs: a sign test over six gives a two-sided p of 2 / 2^6 = .031.
const ROUNDS_NEEDED: u32 = 6;

/// Notes on a comparison of two records.
pub(super) fn notes(comparison: &Comparison) -> Vec<Warning> {
    let mut notes = vec![note(
        "measured-once",
        "each side was measured once, so drift of the machine between the two is not excluded and no verdict is given"
            .into(),
        &format!("a claim needs {ROUNDS_NEEDED} interleaved rounds of both phases or more"),
    )];
    for (phase, side) in [(Phase::Before, &comparison.sides.before), (Phase::After, &comparison.sides.after)] {
        notes.extend(interrupted(phase, side));
        notes.extend(errors(phase, side));
    }
    notes.extend(missing_plans(comparison));
    notes
}

fn interrupted(phase: Phase, side: &Side) -> Option<Warning> {
    let why = side.interrupted_by.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    side.interrupted.then(|| {
        let (measured, asked) = (side.measured_s, side.duration_s);
        let message =
            format!("the measurement {phase} was interrupted{why}: {measured:.1} s of {asked} s were measured");
        note("interrupted", message, &format!("measure the phase {phase} again"))
    })
}

fn errors(phase: Phase, side: &Side) -> Option<Warning> {
    (side.errors > 0).then(|| {
        let (errors, operations) = (side.errors, side.operations);
        let message =
            format!("{phase}: {errors} of {operations} operations ended in an error; of these only timeouts are in the percentiles");
        note("errors", message, "look at `errors` in the record, and mend their cause before trusting the times")
    })
}

fn missing_plans(comparison: &Comparison) -> Vec<Warning> {
    let of_plans = comparison.metrics.iter().filter(|metric| metric.name == MetricName::ExecutionTime);
    let missing = of_plans.flat_map(|metric| {
        let statement = metric.statement.clone().unwrap_or_default();
        let sides = [(Phase::Before, metric.before), (Phase::After, metric.after)];
        sides.into_iter().filter(|(_, value)| value.is_none()).map(move |(phase, _)| (phase, statement.clone()))
    });
    missing
        .map(|(phase, statement)| {
            let message = format!("no plan of {statement} was captured {phase} the fix");
            note("no-plan", message, &format!("measure the phase {phase} again"))
        })
        .collect()
}

fn note(id: &str, message: String, advice: &str) -> Warning {
    Warning { id: id.into(), message, advice: advice.into() }
}
