use proptest::prelude::*;

use super::*;
use crate::{
    record::{ErrorCount, Phase, Record, RunInfo, Totals, sample},
    render::comparison::tests::of,
};

fn shown(comparison: &Comparison, width: usize) -> String {
    let left = "the fix is applied; `latclinic revert-fix` reverts it";
    let text = terminal(&brief(comparison, Some(left), width), width, false);
    assert!(text.lines().all(|line| columns(line) <= width), "{text}");
    assert!(text.lines().count() < MOST_LINES, "{} lines: {text}", text.lines().count());
    text
}

/// A record of a run with everything that may be shown.
fn full(phase: Phase) -> Record {
    let mut record = sample::record(phase);
    record.run = Some(RunInfo {
        id: "1".into(),
        aa: false,
        rounds_asked: 6,
        automatic: false,
        rounds: 6,
        first: vec![Phase::Before; 6],
        time_s: std::collections::BTreeMap::new(),
    });
    record.price = Some(sample::price_of_index());
    record.totals = Totals { errors: 7, ..record.totals };
    record.errors =
        vec![ErrorCount { sqlstate: "22012".into(), count: 7, sample: "division by zero (SQLSTATE 22012)".into() }];
    record
}

#[test]
fn everything_that_matters_fits_a_screen() {
    insta::assert_snapshot!(shown(&of(full(Phase::Before), full(Phase::After)), 80), @"
    p99 307 ms -> 399 µs, 770x faster, 6 rounds

    Scenario  events
    Query     SELECT id FROM events WHERE user_id = $1
    Fix       index on (user_id, created_at)
    Load      closed load of 8 clients, 6 rounds: 30.2 s before, 30.0 s after
    Data      events: 1 000 000 rows; 205 MB before, 234 MB after
    Server    PostgreSQL 15.18, managed by latclinic; load from 2 cores, 8.00 GB (A
              processor), Debian 12

     metric        before      after      change          factor
    ─────────────────────────────────────────────────────────────
     p50          80.5 ms    84.2 µs     -99.9 %     956x faster
     p95           190 ms     163 µs     -99.9 %   1 170x faster
     p99           307 ms     399 µs     -99.9 %     770x faster
     max           413 ms    4.21 ms     -99.0 %    98.1x faster
     throughput    90.5/s   84 711/s   +93 500 %       936x more
     error rate       0 %        0 %         0 %               -

    Verdict  inconclusive: each side was measured once, without intervals
    Results  not checked whether the rows are the same before and after
    Price    31.0 MB, 900 ms to build, inserts +12 % (95 % 9 to 15)
    Errors   SQLSTATE 22012 (data exception): 7 before, 7 after (division by zero)

    What changed in the plans:
    - typical values (74.8 ms -> 46.0 µs): Seq Scan on events -> Index Scan using
      events_user_id_created_at_idx on events
    - all 38 plans sampled under load match these

    What to do next:
    - the fix is applied; `latclinic revert-fix` reverts it
    - latency.hlog is missing in reports/events/20261121T012345Z-before and in
      reports/events/20261121T012345Z-after, so percentiles have no interval and...
    - 3 more notes and all details: add `--details`, or read comparison.md in the
      folder below

    Result   p99 307 ms -> 399 µs, 770x faster, 6 rounds
    Verdict  inconclusive
    ");
}

#[test]
fn without_enough_samples_for_p99_it_says_how_to_get_them() {
    let (mut before, after) = (full(Phase::Before), full(Phase::After));
    before.latency_ms = sample::latency([21.4, 88.2, 80.5, 161.0, 190.3, f64::NAN, f64::NAN, 412.9], 120);
    let text = shown(&of(before, after), 80);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        line.contains("p99 needs 299 samples a side, and there are 120: measure longer blocks, such as `--block 10s`"),
        "{text}"
    );
}

#[test]
fn it_ends_with_headline_and_verdict() {
    let text = shown(&of(full(Phase::Before), full(Phase::After)), 120);
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert_eq!(last, ["Verdict  inconclusive", "Result   p99 307 ms -> 399 µs, 770x faster, 6 rounds"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_in_it_it_fits(
        name in "[a-z_ ]{1,300}", sql in "(SELECT [a-z, ]{0,80}\n){1,40}", statements in 1_usize..30, warnings in 0_usize..30,
        width in 78_usize..160,
    ) {
        let side = |phase| {
            let mut record = full(phase);
            let first = record.statements[0].clone();
            for number in 1..statements {
                let mut other = first.clone();
                other.name = format!("{name}_{number}");
                other.sql.clone_from(&sql);
                record.plans.push(sample::plan(&other.name, phase == Phase::Before));
                record.statements.push(other);
            }
            record.fix.title.clone_from(&name);
            record.dataset.rows.extend((0..statements).map(|number| (format!("{name}{number}"), 1_000_000)));
            let warning = sample::full().warnings[0].clone();
            record.thresholds = sample::full().thresholds;
            record.warnings = (0..warnings).map(|number| {
                crate::record::Warning { message: format!("{number} {name}"), ..warning.clone() }
            }).collect();
            record
        };
        shown(&of(side(Phase::Before), side(Phase::After)), width);
    }
}
