use super::*;
use crate::{
    compare::{Measured, Options, compare},
    record::{ErrorCount, Found, Latency, Phase, Record, Totals, Warning, sample},
    render::{markdown, terminal},
};

pub(in crate::render) fn of(before: Record, after: Record) -> Comparison {
    let found =
        |record: Record| Found { folder: format!("reports/events/20261121T012345Z-{}", record.phase).into(), record };
    let (before, after) = (found(before), found(after));
    let measured = |found| Measured { found, blocks: &[] };
    compare(measured(&before), measured(&after), &Options::default()).unwrap()
}

/// A comparison of the records of a test.
pub(in crate::render) fn compared() -> Comparison {
    of(sample::record(Phase::Before), sample::record(Phase::After))
}

fn plain(compared: &Comparison) -> String {
    let text = terminal(&comparison(compared), 80, false);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

#[test]
fn the_terminal_fits_80_columns_and_is_read_without_colour() {
    insta::assert_snapshot!(plain(&of(sample::record(Phase::Before), sample::record(Phase::After))), @"
    p99 307 ms -> 399 µs, 770x faster

    Scenario events, fix: index on (user_id, created_at).

     metric                    before      after      change          factor
    ─────────────────────────────────────────────────────────────────────────
     p50                      80.5 ms    84.2 µs     -99.9 %     956x faster
     p95                       190 ms     163 µs     -99.9 %   1 170x faster
     p99                       307 ms     399 µs     -99.9 %     770x faster
     max                       413 ms    4.21 ms     -99.0 %    98.1x faster
     throughput                90.5/s   84 711/s   +93 500 %       936x more
     error rate                   0 %        0 %         0 %               -
     plan: execution time     74.8 ms    46.0 µs     -99.9 %   1 630x faster
     plan: rows read        1 000 000         20   -99.998 %    50 000x less
     plan: buffers             17 412         23     -99.9 %       757x less

    Verdict: inconclusive: each side was measured once, without intervals.

    Same rows before and after: not checked.

    What changed in the plans:
    typical values (74.8 ms -> 46.0 µs):

     change   before                        after
    ────────────────────────────────────────────────────────────────────────────────
     better   Seq Scan on events            Index Scan using
                                            events_user_id_created_at_idx on events
              1 000 000 rows read, 17 412   20 rows read, 23 buffers, 46.0 µs
              buffers, 74.8 ms

    - before: latest_of_user: all 19 plans sampled under the load match these
    - after: latest_of_user: all 19 plans sampled under the load match these

    What stands out in the plans:
    - gone: critical seq-scan-filter of latest_of_user: Seq Scan on events read
      1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the
      time

    Behind the figures:
                                        before                  after
    ──────────────────────────────────────────────────────────────────
     samples                             2 716              2 541 337
     operations                          2 716              2 541 337
     errors                                  0                      0
     measured                           30.2 s                 30.0 s
     started              2026-11-21 01:23:45Z   2026-11-21 01:25:02Z
     tables and indexes                 205 MB                 234 MB

    - before: reports/events/20261121T012345Z-before
    - after: reports/events/20261121T012345Z-after

    Notes:
    - each side was measured once, so drift of the machine is not ruled out and
      there is no verdict; a verdict needs at least 6 interleaved rounds; use
      `latclinic run`
    - latency.hlog is missing in reports/events/20261121T012345Z-before and in
      reports/events/20261121T012345Z-after, so percentiles have no interval and
      cannot be verified; put the file back beside its record.json, or measure again
    ");
}

#[test]
fn markdown_for_github() {
    let compared = of(sample::record(Phase::Before), sample::record(Phase::After));
    insta::assert_snapshot!(markdown(&comparison(&compared)), @r"
    # p99 307 ms -> 399 µs, 770x faster

    Scenario events, fix: index on (user\_id, created\_at).

    | metric | before | after | change | factor |
    | --- | ---: | ---: | ---: | ---: |
    | p50 | 80.5 ms | 84.2 µs | -99.9 % | 956x faster |
    | p95 | 190 ms | 163 µs | -99.9 % | 1 170x faster |
    | p99 | 307 ms | 399 µs | -99.9 % | 770x faster |
    | max | 413 ms | 4.21 ms | -99.0 % | 98.1x faster |
    | throughput | 90.5/s | 84 711/s | +93 500 % | 936x more |
    | error rate | 0 % | 0 % | 0 % | - |
    | plan: execution time | 74.8 ms | 46.0 µs | -99.9 % | 1 630x faster |
    | plan: rows read | 1 000 000 | 20 | -99.998 % | 50 000x less |
    | plan: buffers | 17 412 | 23 | -99.9 % | 757x less |

    Verdict: inconclusive: each side was measured once, without intervals.

    Same rows before and after: not checked.

    ## What changed in the plans

    typical values (74.8 ms -> 46.0 µs):

    | change | before | after |
    | --- | --- | --- |
    | better | Seq Scan on events | Index Scan using events\_user\_id\_created\_at\_idx on events |
    |  | 1 000 000 rows read, 17 412 buffers, 74.8 ms | 20 rows read, 23 buffers, 46.0 µs |

    - before: latest\_of\_user: all 19 plans sampled under the load match these
    - after: latest\_of\_user: all 19 plans sampled under the load match these

    <details>
    <summary>Before: plan of latest_of_user for typical values (4711): 74.8 ms, the first 120 ms, planned in 100 µs</summary>

    ```text
      node                                                                   time   share  rows  buffers
    ────────────────────────────────────────────────────────────────────────────────────────────────────
    ► Seq Scan on events                                                  74.8 ms  ██████    20   17 412
          Filter: (user_id = 4711)
          Rows Removed: 999 980
    ```

    Time, share and buffers are a node's own, without the nodes below it; rows are all that it returned.

    </details>

    <details>
    <summary>After: plan of latest_of_user for typical values (4711): 46.0 µs, the first 1.20 ms, planned in 100 µs</summary>

    ```text
    node                                                                     time   share  rows  buffers
    ────────────────────────────────────────────────────────────────────────────────────────────────────
    Index Scan using events_user_id_created_at_idx on events              46.0 µs  ██████    20       23
        Index Cond: (user_id = 4711)
    ```

    Time, share and buffers are a node's own, without the nodes below it; rows are all that it returned.

    </details>

    ## What stands out in the plans

    - gone: critical seq-scan-filter of latest\_of\_user: Seq Scan on events read 1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the time

    ## Behind the figures

    |  | before | after |
    | --- | ---: | ---: |
    | samples | 2 716 | 2 541 337 |
    | operations | 2 716 | 2 541 337 |
    | errors | 0 | 0 |
    | measured | 30.2 s | 30.0 s |
    | started | 2026-11-21 01:23:45Z | 2026-11-21 01:25:02Z |
    | tables and indexes | 205 MB | 234 MB |

    - before: reports/events/20261121T012345Z-before
    - after: reports/events/20261121T012345Z-after

    ## Notes

    - each side was measured once, so drift of the machine is not ruled out and there is no verdict; a verdict needs at least 6 interleaved rounds; use \`latclinic run\`
    - latency.hlog is missing in reports/events/20261121T012345Z-before and in reports/events/20261121T012345Z-after, so percentiles have no interval and cannot be verified; put the file back beside its record.json, or measure again
    ");
}

#[test]
fn nulls_errors_and_interruption_are_shown_as_such() {
    let (mut before, mut after) = (sample::record(Phase::Before), sample::record(Phase::After));
    before.latency_ms = sample::latency([21.4, 88.2, 80.5, 161.0, 190.3, f64::NAN, f64::NAN, 412.9], 120);
    before.warnings.push(Warning {
        id: "client-bottleneck".into(),
        message: "the client used 97 % of its processors".into(),
        advice: "measure with more --threads or from another machine".into(),
    });
    after.interrupted = true;
    after.measured_s = 0.2;
    after.totals = Totals { operations: 1, errors: 1, error_rate: 1.0, ..Totals::default() };
    after.latency_ms = Latency::default();
    after.plans.clear();
    after.server.settings.insert("work_mem".into(), "64MB".into());
    insta::assert_snapshot!(plain(&of(before, after)), @"
    no percentile has enough samples on both sides

    Scenario events, fix: index on (user_id, created_at).

     metric                    before   after   change   factor
    ────────────────────────────────────────────────────────────
     p50                      80.5 ms       -        -        -
     p95                       190 ms       -        -        -
     p99                    needs 299       -        -        -
     max                       413 ms       -        -        -
     throughput                90.5/s     0/s   -100 %        -
     error rate                   0 %   100 %        -        -
     plan: execution time     74.8 ms       -        -        -
     plan: rows read        1 000 000       -        -        -
     plan: buffers             17 412       -        -        -

    Verdict: inconclusive: each side was measured once, without intervals.

    Same rows before and after: not checked.

    What changed in the plans:
    typical values: Seq Scan on events -> not captured.

    - before: latest_of_user: all 19 plans sampled under the load match these
    - after: latest_of_user: all 19 plans sampled under the load match these

    What stands out in the plans:
    - unknown: critical seq-scan-filter of latest_of_user: Seq Scan on events read
      1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the
      time; the other phase's plan was not executed or not captured

    Behind the figures:
                                        before                  after
    ──────────────────────────────────────────────────────────────────
     samples                               120                      0
     operations                          2 716                      1
     errors                                  0                      1
     measured                           30.2 s     0.2 s, interrupted
     started              2026-11-21 01:23:45Z   2026-11-21 01:25:02Z
     tables and indexes                 205 MB                 234 MB

    - before: reports/events/20261121T012345Z-before
    - after: reports/events/20261121T012345Z-after

    What else differs:
     what                      before   after
    ──────────────────────────────────────────
     server setting work_mem   4MB      64MB

    Notes:
    - each side was measured once, so drift of the machine is not ruled out and
      there is no verdict; a verdict needs at least 6 interleaved rounds; use
      `latclinic run`
    - latency.hlog is missing in reports/events/20261121T012345Z-before and in
      reports/events/20261121T012345Z-after, so percentiles have no interval and
      cannot be verified; put the file back beside its record.json, or measure again
    - the measurement after was interrupted: 0.2 s of 30 s were measured; measure
      phase after again
    - after: 1 of 1 operations failed; only timeouts are counted in the percentiles;
      correct the cause before trusting the times; see `errors` in record.json
    - no plan of latest_of_user was captured after the fix; measure phase after
      again
    - before: the client used 97 % of its processors; measure with more --threads or
      from another machine
    ");
}

#[test]
fn plans_of_a_scripts_steps_are_named_and_errors_have_their_sqlstate() {
    let script = |phase| {
        let mut record = sample::record(phase);
        record.plans = ["pay.find", "pay.write"].map(|step| sample::plan(step, phase == Phase::Before)).into();
        record.statements[0].name = "pay".into();
        record.totals = Totals { errors: 7, ..record.totals };
        record.errors =
            vec![ErrorCount { sqlstate: "22012".into(), count: 7, sample: "division by zero (SQLSTATE 22012)".into() }];
        record
    };
    let text = plain(&of(script(Phase::Before), script(Phase::After)));
    for line in ["plan find: time", "plan write: buffers", "- SQLSTATE 22012"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains(" plan: "), "{text}");
    let unbroken = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unbroken.contains("(7 times SQLSTATE 22012 (data exception), such as: division by zero)"), "{unbroken}");
    // Beside another operation they stand below their script.
    let with_other = |phase| {
        let mut record = script(phase);
        let mut other = record.statements[0].clone();
        other.name = "look".into();
        record.plans.push(sample::plan("look", phase == Phase::Before));
        record.statements.push(other);
        record
    };
    let text = plain(&of(with_other(Phase::Before), with_other(Phase::After)));
    let (_, of_script) = text.split_once("Statement pay:").unwrap();
    let (of_script, of_other) = of_script.split_once("Statement look:").unwrap();
    assert!(of_script.contains("plan find: buffers") && of_script.contains("plan write: buffers"), "{text}");
    assert!(of_other.contains(" plan: buffers") && !of_other.contains("plan look"), "{text}");
}

#[test]
fn several_statements_are_told_apart() {
    let two = |phase| {
        let mut record = sample::record(phase);
        let mut second = record.statements[0].clone();
        second.name = "a_count_of_all_events_of_a_user_by_their_kind_in_the_last_month".into();
        second.totals.errors = 3;
        record.plans.push(sample::plan(&second.name, phase == Phase::Before));
        let mut hot = sample::plan("latest_of_user", true);
        hot.class = "hot".into();
        record.plans.push(hot);
        record.statements.push(second);
        record
    };
    let text = plain(&of(two(Phase::Before), two(Phase::After)));
    let (_, text) = text.split_once("not checked.").unwrap();
    let (by_statement, _) = text.split_once("Behind the figures").unwrap();
    insta::assert_snapshot!(by_statement, @"


    Statement latest_of_user:
     metric                    before      after      change          factor
    ─────────────────────────────────────────────────────────────────────────
     p50                      80.5 ms    84.2 µs     -99.9 %     956x faster
     p95                       190 ms     163 µs     -99.9 %   1 170x faster
     p99                       307 ms     399 µs     -99.9 %     770x faster
     max                       413 ms    4.21 ms     -99.0 %    98.1x faster
     throughput                90.5/s   84 711/s   +93 500 %       936x more
     error rate                   0 %        0 %         0 %               -
     plan: execution time     74.8 ms    46.0 µs     -99.9 %   1 630x faster
     plan: rows read        1 000 000         20   -99.998 %    50 000x less
     plan: buffers             17 412         23     -99.9 %       757x less

    Statement a_count_of_all_events_of_a_user_by_their_kind_in_the_last_month:
     metric                    before      after      change          factor
    ─────────────────────────────────────────────────────────────────────────
     p50                      80.5 ms    84.2 µs     -99.9 %     956x faster
     p95                       190 ms     163 µs     -99.9 %   1 170x faster
     p99                       307 ms     399 µs     -99.9 %     770x faster
     max                       413 ms    4.21 ms     -99.0 %    98.1x faster
     throughput                90.5/s   84 711/s   +93 500 %       936x more
     error rate                   0 %        0 %         0 %               -
     plan: execution time     74.8 ms    46.0 µs     -99.9 %   1 630x faster
     plan: rows read        1 000 000         20   -99.998 %    50 000x less
     plan: buffers             17 412         23     -99.9 %       757x less

    What changed in the plans:
    latest_of_user, typical values (74.8 ms -> 46.0 µs):

     change   before                        after
    ────────────────────────────────────────────────────────────────────────────────
     better   Seq Scan on events            Index Scan using
                                            events_user_id_created_at_idx on events
              1 000 000 rows read, 17 412   20 rows read, 23 buffers, 46.0 µs
              buffers, 74.8 ms

    a_count_of_all_events_of_a_user_by_their_kind_in_the_last_month, typical values
    (74.8 ms -> 46.0 µs):

     change   before                        after
    ────────────────────────────────────────────────────────────────────────────────
     better   Seq Scan on events            Index Scan using
                                            events_user_id_created_at_idx on events
              1 000 000 rows read, 17 412   20 rows read, 23 buffers, 46.0 µs
              buffers, 74.8 ms

    latest_of_user, hot values (74.8 ms -> 74.8 ms): the same plan, Seq Scan on
    events.

    - before: latest_of_user: all 19 plans sampled under the load match these
    - after: latest_of_user: all 19 plans sampled under the load match these

    What stands out in the plans:
    - gone: critical seq-scan-filter of latest_of_user: Seq Scan on events read
      1 000 000 rows to keep 20 (99.99 % removed), 17 412 buffers, 99.8 % of the
      time
    ");
}

#[test]
fn the_headline_has_a_word_for_worse_and_says_when_it_falls_back() {
    let (before, mut after) = (sample::record(Phase::Before), sample::record(Phase::After));
    assert_eq!(headline(&of(before.clone(), after.clone())), "p99 307 ms -> 399 µs, 770x faster");
    after.latency_ms = sample::latency([1.0, 1.0, 161.0, 1.0, 400.0, f64::NAN, f64::NAN, 700.0], 100);
    assert_eq!(
        headline(&of(before.clone(), after.clone())),
        "p95 190 ms -> 400 ms, 2.10x slower (too few samples for p99)"
    );
    after.latency_ms = Latency::default();
    assert_eq!(headline(&of(before, after)), "no percentile has enough samples on both sides");
}

#[test]
fn thresholds_show_both_phases_and_what_came_of_the_one_after() {
    let (mut before, mut after) = (sample::record(Phase::Before), sample::record(Phase::After));
    before.thresholds = sample::full().thresholds;
    after.thresholds = sample::full().thresholds;
    after.thresholds[0].value = Some(0.163);
    after.thresholds[2].value = Some(0.002);
    let text = plain(&of(before, after));
    let (_, text) = text.split_once("not checked.\n\n").unwrap();
    let (thresholds, _) = text.split_once("\n\nWhat changed").unwrap();
    insta::assert_snapshot!(thresholds, @"
    Thresholds:
     threshold                    before     after   outcome after
    ────────────────────────────────────────────────────────────────────────────────
     p(95)<250ms                  190 ms    163 µs   PASS
     latest_of_user:p(99.9)<1s         -         -   undecided: needs 2995 samples;
                                                     there are 2716
     error_rate<0.1%             0.442 %   0.200 %   FAIL
    ");
}
