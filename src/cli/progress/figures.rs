//! A measurement's state in words, for the panel and for plain lines.

use std::time::Duration;

use crate::{
    clinic::{LoadProgress, LoadStage as Stage, RoundPlace},
    record::{CapacityPoint, Phase, ThresholdUnit},
    render, text,
};

/// Space between two words of a line.
pub(super) const SPACE: &str = "  ";

/// A few words that stay together.
#[derive(Debug)]
pub(super) struct Words {
    /// What they say.
    pub(super) text: String,
    /// Whether they say that something is wrong.
    pub(super) bad: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The phase.
    pub(super) phase: Phase,
    /// The block of a run in rounds.
    pub(super) round: Option<RoundPlace>,
}

/// The round and the phase, and what is done in it unless that is the measurement itself.
pub(super) fn activity(place: &Place, stage: Stage) -> String {
    let phase = match place.round {
        None => place.phase.to_string(),
        Some(RoundPlace { round, of, at_most, .. }) => {
            let most = if at_most { "at most " } else { "" };
            format!("round {round} of {most}{of}, {}", place.phase)
        }
    };
    match stage {
        Stage::Connecting => format!("{phase}, connecting"),
        Stage::WarmUp => format!("{phase}, warm-up"),
        Stage::Measuring => phase,
        Stage::Draining => format!("{phase}, ending"),
    }
}

/// What came of a rate in a search for capacity: `capacity: 4 000/s keeps p(95)<50ms: 12.3 ms`.
pub(super) fn probe(threshold: &str, unit: ThresholdUnit, point: &CapacityPoint) -> String {
    let verb = if point.passed { "keeps" } else { "does not keep" };
    let value = point.value.map(|value| render::threshold_value(Some(value), unit));
    let found: Vec<String> = value.into_iter().chain(point.reason.clone()).collect();
    format!("capacity: {} {verb} {threshold}: {}", text::per_second(point.rate_per_s), found.join("; "))
}

/// Where the measurement is: activity, time left, stage of the load, clients that have lost their way.
pub(super) fn place(of: &Place, progress: &LoadProgress) -> Vec<Words> {
    let mut place = vec![good(activity(of, progress.stage))];
    match progress.stage {
        Stage::Connecting => {}
        Stage::WarmUp | Stage::Measuring => {
            let left = progress.planned.saturating_sub(progress.elapsed);
            // A block's warm-up is followed by its window.
            let left = left + of.round.map_or(Duration::ZERO, |round| round.after(progress.stage));
            place.push(good(format!("{} s left", text::count(left.as_secs_f64().ceil() as u64))));
        }
        Stage::Draining => place.push(good("waiting for operations in flight")),
    }
    if let Some(stage) = progress.load_stage {
        place.push(good(format!("stage {} of {}, target {}", stage.number, stage.of, target(stage.target))));
    }
    if progress.disconnected > 0 {
        let text = format!("{} without connection", text::counted(progress.disconnected, "client"));
        place.push(Words { text, bad: progress.stage != Stage::Connecting });
    }
    place
}

/// Throughput, percentiles, errors and skipped arrivals so far; nothing before the window.
pub(super) fn figures(progress: &LoadProgress) -> Vec<Words> {
    let mut figures = Vec::new();
    if matches!(progress.stage, Stage::Connecting | Stage::WarmUp) {
        return figures;
    }
    if progress.operations > 0 {
        figures.push(good(text::per_second(progress.throughput_per_s)));
        for (name, nanoseconds) in [("p50", progress.p50_ns), ("p95", progress.p95_ns), ("p99", progress.p99_ns)] {
            if let Some(nanoseconds) = nanoseconds {
                figures.push(good(format!("{name} {}", time(nanoseconds))));
            }
        }
        let errors = format!("errors {}", text::count(progress.errors));
        figures.push(Words { text: errors, bad: progress.errors > 0 });
    }
    if progress.skipped > 0 {
        figures.push(bad(format!("skipped {}", text::count(progress.skipped))));
    }
    figures
}

/// All of it in one line.
pub(super) fn line(of: &Place, progress: &LoadProgress) -> String {
    let words = place(of, progress).into_iter().chain(figures(progress));
    words.map(|words| words.text).collect::<Vec<_>>().join(SPACE)
}

/// A time of so many nanoseconds.
pub(super) fn time(nanoseconds: u64) -> String {
    text::milliseconds(nanoseconds as f64 / 1e6)
}

/// Clients or arrivals a second, of which a ramp has fractions: told where they matter.
fn target(target: f64) -> String {
    if target < 10.0 && target.fract() != 0.0 { format!("{target:.1}") } else { text::count(target.round() as u64) }
}

fn good(text: impl Into<String>) -> Words {
    Words { text: text.into(), bad: false }
}

fn bad(text: impl Into<String>) -> Words {
    Words { text: text.into(), bad: true }
}
