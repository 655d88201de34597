//! What a reader has to know before believing a comparison.

use super::{
    evidence::Measured,
    model::{Comparison, Drift, DriftOf, Method, MetricName, Side},
};
use crate::{
    record::{Phase, Record, Warning, errors_in_words},
    stats::ROUNDS_NEEDED,
    text,
};

/// Probability of telling any trend over the rounds where there is none.
const DRIFT_P: f64 = 0.05;
/// How far apart the shares of buffers found in the cache may be.
const CACHE_DIFFERENCE: f64 = 0.05;

/// Notes on a comparison of two records.
pub(super) fn notes(comparison: &Comparison, measured: [Measured<'_>; 2]) -> Vec<Warning> {
    let sides = measured.map(|side| &side.found.record);
    let mut notes = Vec::from_iter(how_sure(comparison));
    // Several trends are looked for, so each has a part of the error rate (Bonferroni).
    let part = DRIFT_P / comparison.drift.len().max(1) as f64;
    notes.extend(comparison.drift.iter().filter(|drift| drift.p < part).map(drifted));
    notes.extend(no_histograms(measured));
    notes.extend(cache_differs(sides));
    for (phase, side) in [(Phase::Before, &comparison.sides.before), (Phase::After, &comparison.sides.after)] {
        notes.extend(interrupted(phase, side, comparison.run.is_some()));
        notes.extend(errors(phase, side));
    }
    notes.extend(missing_plans(comparison));
    notes
}

/// What the way in which the sides were measured leaves open.
fn how_sure(comparison: &Comparison) -> Option<Warning> {
    let rounds = comparison.run.as_ref().map_or(0, |run| run.rounds);
    let advice = &format!("a verdict needs at least {ROUNDS_NEEDED} interleaved rounds; use `latclinic run`");
    let (id, message) = match comparison.method {
        Method::Rounds if rounds as usize >= ROUNDS_NEEDED => return None,
        Method::Rounds => (
            "few-rounds",
            format!(
                "{} {} too few for a verdict",
                text::counted(rounds, "round"),
                if rounds == 1 { "is" } else { "are" }
            ),
        ),
        Method::Blocks | Method::Slices => (
            "not-interleaved",
            "the sides were measured one after the other, so drift of the machine between them is not ruled out".into(),
        ),
        Method::Once => (
            "measured-once",
            "each side was measured once, so drift of the machine is not ruled out and there is no verdict".into(),
        ),
    };
    Some(note(id, message, advice))
}

fn no_histograms(sides: [Measured<'_>; 2]) -> Option<Warning> {
    let without = sides.into_iter().filter(|side| side.blocks.is_empty());
    let folders: Vec<String> = without.map(|side| side.found.folder.display().to_string()).collect();
    (!folders.is_empty()).then(|| {
        let message = format!(
            "latency.hlog is missing in {}, so percentiles have no interval and cannot be verified",
            folders.join(" and in ")
        );
        note("no-histogram", message, "put the file back beside its record.json, or measure again")
    })
}

fn drifted(drift: &Drift) -> Warning {
    let Drift { metric, of, tau, p, ratio } = drift;
    let metric = metric.as_str();
    let change = (ratio - 1.0) * 100.0;
    let test = format!("Kendall's tau {tau:.2}, p {p:.3}");
    match of {
        DriftOf::Before | DriftOf::After => {
            let side = if *of == DriftOf::Before { "before" } else { "after" };
            let message = format!(
                "the machine or the data may have drifted: {metric} {side} changed by {change:+.0} % over the rounds ({test})"
            );
            note(
                "drift",
                message,
                "interleaved rounds cancel drift in the ratio; stop other work on the machine for tighter intervals",
            )
        }
        DriftOf::Effect => {
            let message =
                format!("the effect on {metric} may have changed over the rounds, by {change:+.0} % ({test})");
            note(
                "effect-drifts",
                message,
                "the interval is that of the mean effect; see the ratio of each round in comparison.json",
            )
        }
    }
}

/// Whether one side found much more of its buffers in the server's cache.
fn cache_differs(sides: [&Record; 2]) -> Option<Warning> {
    let share = |record: &Record| {
        let blocks = record.blocks.iter().map(|block| block.server_activity.as_ref());
        let all = blocks.chain([record.server_activity.as_ref()]).flatten();
        let (mut hit, mut read) = (0, 0);
        for database in all.filter_map(|activity| activity.database.as_ref()) {
            hit += database.buffers_hit?;
            read += database.buffers_read?;
        }
        (hit + read > 0).then(|| hit as f64 / (hit + read) as f64)
    };
    let (before, after) = (share(sides[0])?, share(sides[1])?);
    ((before - after).abs() > CACHE_DIFFERENCE).then(|| {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        note(
            "cache-differs",
            format!(
                "the server's cache had {} of the buffers before the fix and {} after it",
                percent(before),
                percent(after)
            ),
            "part of the effect comes from the cache; expect a different effect if the cache is larger or cold",
        )
    })
}

fn interrupted(phase: Phase, side: &Side, in_run: bool) -> Option<Warning> {
    let why = side.interrupted_by.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    side.interrupted.then(|| {
        // A phase's share of a round may be no whole number of anything.
        let (measured, asked) = (side.measured_s, (side.duration_s * 10.0).round() / 10.0);
        let most = if side.enough.is_some() { "at most " } else { "" };
        let message =
            format!("the measurement {phase} was interrupted{why}: {measured:.1} s of {most}{asked} s were measured");
        let advice = if in_run { "run the command again".to_owned() } else { format!("measure phase {phase} again") };
        note("interrupted", message, &advice)
    })
}

fn errors(phase: Phase, side: &Side) -> Option<Warning> {
    (side.errors > 0).then(|| {
        let (errors, operations) = (side.errors, side.operations);
        let words = errors_in_words(&side.errors_by_sqlstate);
        let words = if words.is_empty() { words } else { format!(" ({words})") };
        let message = format!(
            "{phase}: {errors} of {operations} operations failed{words}; only timeouts are counted in the percentiles"
        );
        note("errors", message, "correct the cause before trusting the times; see `errors` in record.json")
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
            note("no-plan", message, &format!("measure phase {phase} again"))
        })
        .collect()
}

fn note(id: &str, message: String, advice: &str) -> Warning {
    Warning { id: id.into(), message, advice: advice.into() }
}
