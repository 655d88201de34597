//! The panel and the plain line of made-up measurements.

use std::time::Duration;

use super::{
    figures::{self, Place},
    panel::{RED, panel},
};
use crate::{
    clinic::{LoadProgress, LoadStage as Stage},
    engine::{LoadStage, Second},
    record::{Phase, ThresholdUnit, sample},
};

const BEFORE: Place = Place { phase: Phase::Before, round: None };
const AFTER: Place = Place { phase: Phase::After, round: None };

fn second(p99_ms: Option<u64>) -> Second {
    Second { operations: p99_ms.map_or(0, |_| 1000), errors: 0, p99_ns: p99_ms.map(|ms| ms * 1_000_000) }
}

/// A measurement in which nothing is wrong.
fn smooth() -> LoadProgress {
    LoadProgress {
        stage: Stage::Measuring,
        elapsed: Duration::from_secs(5),
        planned: Duration::from_secs(125),
        operations: 4_000_000,
        errors: 0,
        skipped: 0,
        throughput_per_s: 135_812.0,
        p50_ns: Some(1_230_000),
        p95_ns: Some(12_300_000),
        p99_ns: Some(45_600_000),
        seconds: [40, 45, 42, 50, 44].map(Some).map(second).to_vec(),
        load_stage: None,
        disconnected: 0,
    }
}

/// One in which everything is.
fn rough() -> LoadProgress {
    let stalled = [Some(12), Some(15), Some(11), None, None, None, Some(3_050), Some(1_200), Some(20), None];
    LoadProgress {
        errors: 1_204,
        skipped: 31,
        p99_ns: Some(1_230_000_000),
        seconds: stalled.map(second).repeat(9),
        load_stage: Some(LoadStage { number: 2, of: 3, target: 450.4 }),
        disconnected: 12,
        ..smooth()
    }
}

fn shown(progress: &LoadProgress, width: usize) -> String {
    panel(&BEFORE, progress, width, false).join("\n")
}

#[test]
fn on_80_columns() {
    insta::assert_snapshot!(shown(&smooth(), 78), @"
    before  120 s left
    135 812/s  p50 1.23 ms  p95 12.3 ms  p99 45.6 ms  errors 0
    p99 by second │▇█▇██│ up to 50.0 ms
    ");
    insta::assert_snapshot!(shown(&rough(), 78), @"
    before  120 s left  stage 2 of 3, target 450  12 clients without connection
    135 812/s  p50 1.23 ms  p95 12.3 ms  p99 1.23 s  errors 1 204  skipped 31
    p99 by second │▁   █▄▁ ▁▁▁   █▄▁ ▁▁▁   █▄▁ ▁▁▁   █▄▁ ▁▁▁   █▄▁ │ up to 3.05 s
    ");
}

#[test]
fn on_40_columns() {
    insta::assert_snapshot!(shown(&smooth(), 38), @"
    before  120 s left
    135 812/s  p50 1.23 ms  p95 12.3 ms
    p99 45.6 ms  errors 0
    p99 by second │▇█▇██│ up to 50.0 ms
    ");
    insta::assert_snapshot!(shown(&rough(), 38), @"
    before  120 s left
    stage 2 of 3, target 450
    12 clients without connection
    135 812/s  p50 1.23 ms  p95 12.3 ms
    p99 1.23 s  errors 1 204  skipped 31
    p99 by second │▁   █▄▁ │ up to 3.05 s
    ");
}

#[test]
fn around_the_window() {
    let at = |stage| LoadProgress { stage, seconds: Vec::new(), ..rough() };
    let connecting = LoadProgress { load_stage: None, disconnected: 1, ..at(Stage::Connecting) };
    insta::assert_snapshot!(shown(&connecting, 78), @"before, connecting  1 client without connection");
    insta::assert_snapshot!(shown(&at(Stage::WarmUp), 78), @"
    before, warm-up  120 s left  stage 2 of 3, target 450
    12 clients without connection
    ");
    let begun = LoadProgress { operations: 0, seconds: Vec::new(), ..smooth() };
    insta::assert_snapshot!(shown(&begun, 78), @"before  120 s left");
    let stuck = LoadProgress { seconds: vec![second(None); 5], ..smooth() };
    insta::assert_snapshot!(shown(&stuck, 78), @"
    before  120 s left
    135 812/s  p50 1.23 ms  p95 12.3 ms  p99 45.6 ms  errors 0
    p99 by second │     │ no response
    ");
    insta::assert_snapshot!(shown(&at(Stage::Draining), 78), @"
    before, ending  waiting for operations in flight  stage 2 of 3, target 450
    12 clients without connection
    135 812/s  p50 1.23 ms  p95 12.3 ms  p99 1.23 s  errors 1 204  skipped 31
    ");
}

#[test]
fn colour_marks_what_is_wrong_and_nothing_else() {
    assert_eq!(panel(&BEFORE, &smooth(), 78, true), panel(&BEFORE, &smooth(), 78, false));
    let coloured = panel(&BEFORE, &rough(), 78, true).join("\n");
    let red: Vec<&str> =
        coloured.split(RED.0).skip(1).filter_map(|rest| rest.split_once(RED.1)).map(|(words, _)| words).collect();
    assert_eq!(red, ["12 clients without connection", "errors 1 204", "skipped 31"]);
    assert_eq!(coloured.replace(RED.0, "").replace(RED.1, ""), shown(&rough(), 78));
}

#[test]
fn no_line_is_too_wide() {
    for (width, progress) in (1..200).flat_map(|width| [(width, smooth()), (width, rough())]) {
        let lines = panel(&AFTER, &progress, width, false);
        assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:#?}");
    }
}

#[test]
fn a_ramp_of_few_has_fractions() {
    for (target, words) in [(2.0, "target 2"), (2.46, "target 2.5"), (12.5, "target 13"), (5000.0, "target 5 000")] {
        let load_stage = Some(LoadStage { number: 1, of: 1, target });
        let line = figures::line(&AFTER, &LoadProgress { load_stage, ..smooth() });
        assert!(line.contains(&format!("stage 1 of 1, {words}  ")), "{line}");
    }
}

#[test]
fn plain_lines_say_the_same() {
    insta::assert_snapshot!(figures::line(&BEFORE, &smooth()), @"before  120 s left  135 812/s  p50 1.23 ms  p95 12.3 ms  p99 45.6 ms  errors 0");
    insta::assert_snapshot!(figures::line(&AFTER, &rough()), @"after  120 s left  stage 2 of 3, target 450  12 clients without connection  135 812/s  p50 1.23 ms  p95 12.3 ms  p99 1.23 s  errors 1 204  skipped 31");
    let connecting = LoadProgress { stage: Stage::Connecting, ..smooth() };
    assert_eq!(figures::line(&BEFORE, &connecting), "before, connecting");
}

#[test]
fn what_came_of_a_rate() {
    let curve = sample::full().capacity.unwrap().curve;
    let mut undecided = curve[0].clone();
    (undecided.value, undecided.passed, undecided.reason) = (None, false, Some("needs 59 samples; there are 3".into()));
    let lines: Vec<String> =
        curve.iter().chain([&undecided]).map(|point| figures::probe("p(95)<50ms", ThresholdUnit::Ms, point)).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    capacity: 100/s keeps p(95)<50ms: 12.0 ms
    capacity: 600/s does not keep p(95)<50ms: 412 ms; 540.0/s of 600.0/s were achieved
    capacity: 480/s keeps p(95)<50ms: 48.8 ms
    capacity: 100/s does not keep p(95)<50ms: needs 59 samples; there are 3
    ");
}
