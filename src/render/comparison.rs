//! A comparison as a document.

use super::{
    document::{Align, Block, Cell, Document, Table},
    rows, units,
};
use crate::compare::{Comparison, Gate, Metric, PlanComparison, Side, Verdict};

/// The one line that matters: `p99 307 ms -> 399 µs, 770x faster`.
pub fn headline(comparison: &Comparison) -> String {
    let Some(metric) = comparison.headline() else {
        return "no percentile has enough samples on both sides".into();
    };
    let side =
        |value: Option<f64>| value.map_or_else(|| units::NOTHING.into(), |value| rows::value(value, metric.unit));
    let name = rows::metric_name(metric.name);
    let mut line = format!("{name} {} -> {}", side(metric.before), side(metric.after));
    if let Some(factor) = rows::factor(metric) {
        line.push_str(&format!(", {factor}"));
    }
    if let Some(above) = unsupported_above(comparison, metric) {
        line.push_str(&format!(" (too few samples for {above})"));
    }
    line
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Inconclusive => format!("{}, see the notes", verdict.as_str()),
        Verdict::Improved | Verdict::Regressed | Verdict::Equivalent => verdict.as_str().to_owned(),
    }
}

/// A comparison for a person.
pub fn comparison(comparison: &Comparison) -> Document {
    let several = comparison.statements.len() > 1;
    let mut blocks = vec![
        Block::Headline(headline(comparison)),
        Block::Paragraph(format!("Scenario {}, fix: {}.", comparison.scenario, comparison.fix)),
        // With several statements each one's plans stand with its own figures.
        Block::Table(metrics(comparison.metrics.iter().filter(|metric| !several || metric.statement.is_none()))),
        Block::Paragraph(format!(
            "Verdict: {}. Same rows before and after: {}.",
            verdict(comparison.verdict),
            match comparison.results_identical {
                None => "not checked",
                Some(true) => "yes",
                Some(false) => "no",
            }
        )),
    ];
    if !comparison.gates.is_empty() {
        blocks.extend([Block::Heading("Thresholds".into()), Block::Table(gates(&comparison.gates))]);
    }
    for statement in comparison.statements.iter().filter(|_| several) {
        let of_plans = comparison.metrics.iter().filter(|metric| metric.statement.as_ref() == Some(&statement.name));
        blocks.push(Block::Heading(format!("Statement {}", statement.name)));
        blocks.push(Block::Table(metrics(statement.metrics.iter().chain(of_plans))));
    }
    if !comparison.plans.is_empty() {
        blocks.extend([Block::Heading("How tables are read".into()), Block::Table(plans(&comparison.plans, several))]);
    }
    blocks.extend([Block::Heading("Behind the figures".into()), Block::Table(sides(comparison))]);
    blocks.push(Block::List(vec![
        format!("before: {}", comparison.sides.before.folder),
        format!("after: {}", comparison.sides.after.folder),
    ]));
    if !comparison.differences.is_empty() {
        let mut table = Table::of_words(&["what", "before", "after"]);
        for difference in &comparison.differences {
            table.row([difference.what.clone(), difference.before.clone(), difference.after.clone()]);
        }
        blocks.extend([Block::Heading("What else differs".into()), Block::Table(table)]);
    }
    let points = notes(comparison);
    if !points.is_empty() {
        blocks.extend([Block::Heading("Notes".into()), Block::List(points)]);
    }
    Document { blocks }
}

fn metrics<'a>(metrics: impl Iterator<Item = &'a Metric>) -> Table {
    let mut table = Table::of_figures(&["metric", "before", "after", "change", "factor"]);
    table.rows.extend(metrics.map(rows::metric));
    table
}

/// The outcome is that of the phase after.
fn gates(gates: &[Gate]) -> Table {
    let mut table = Table::of_figures(&["threshold", "before", "after", "outcome after"]);
    table.columns[3].align = Align::Left;
    for gate in gates {
        table.rows.push(vec![
            Cell::plain(&gate.expression),
            Cell::plain(units::threshold_value(gate.before, gate.unit)),
            Cell::plain(units::threshold_value(gate.after, gate.unit)),
            rows::outcome(gate.outcome, gate.reason.as_deref()),
        ]);
    }
    table
}

/// Classes of a statement whose tables are read the same way share a row.
fn plans(plans: &[PlanComparison], several: bool) -> Table {
    struct Row<'a> {
        statement: &'a str,
        classes: Vec<&'a str>,
        scans: [String; 2],
    }
    let mut found: Vec<Row<'_>> = Vec::new();
    for plan in plans {
        let scans = [rows::scans(plan.before.as_ref()), rows::scans(plan.after.as_ref())];
        match found.iter_mut().find(|row| row.statement == plan.statement && row.scans == scans) {
            Some(row) => row.classes.push(&plan.class),
            None => found.push(Row { statement: &plan.statement, classes: vec![&plan.class], scans }),
        }
    }
    let mut table = Table::of_words(&["parameters", "before", "after"]);
    for Row { statement, classes, scans: [before, after] } in found {
        let classes = classes.join(", ");
        table.row([if several { format!("{statement}: {classes}") } else { classes }, before, after]);
    }
    table
}

fn sides(comparison: &Comparison) -> Table {
    let mut table = Table::of_figures(&["", "before", "after"]);
    let mut row = |what: &str, figure: &dyn Fn(&Side) -> String| {
        table.rows.push(vec![
            Cell::plain(what),
            Cell::plain(figure(&comparison.sides.before)),
            Cell::plain(figure(&comparison.sides.after)),
        ]);
    };
    row("samples", &|side| units::count(side.samples));
    row("operations", &|side| units::count(side.operations));
    row("errors", &|side| units::count(side.errors));
    row("measured", &|side| {
        let cut = if side.interrupted { ", interrupted" } else { "" };
        format!("{:.1} s{cut}", side.measured_s)
    });
    row("started", &|side| side.started_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    row("tables and indexes", &|side| units::bytes(side.dataset_bytes));
    table
}

fn notes(comparison: &Comparison) -> Vec<String> {
    let of_side = |name: &'static str, side: &'_ Side| {
        side.warnings.iter().map(|warning| format!("{name}: {}", rows::warning(warning))).collect::<Vec<_>>()
    };
    let mut points: Vec<String> = comparison.notes.iter().map(rows::warning).collect();
    points.extend(of_side("before", &comparison.sides.before));
    points.extend(of_side("after", &comparison.sides.after));
    points
}

/// The percentile above `metric` that a side does not support, so that a fallback is not taken for a choice.
fn unsupported_above(comparison: &Comparison, metric: &Metric) -> Option<&'static str> {
    let workload =
        comparison.metrics.iter().filter(|other| other.statement.is_none() && other.samples_needed.is_some());
    let highest = workload.max_by_key(|other| other.samples_needed)?;
    (highest.name != metric.name).then(|| rows::metric_name(highest.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compare::compare,
        record::{Found, Latency, Phase, Record, Totals, Warning, sample},
        render::{markdown, terminal},
    };

    fn of(before: Record, after: Record) -> Comparison {
        let found = |record: Record| Found {
            folder: format!("reports/events/20261121T012345Z-{}", record.phase).into(),
            record,
        };
        compare(&found(before), &found(after)).unwrap()
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

        Verdict: inconclusive, see the notes. Same rows before and after: not checked.

        How tables are read:
         parameters   before               after
        ───────────────────────────────────────────────────────────────────────────
         typical      Seq Scan on events   Index Scan using
                                           events_user_id_created_at_idx on events

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
        - each side was measured once, so drift of the machine between the two is not
          excluded and no verdict is given; a claim needs 6 interleaved rounds of both
          phases or more
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

        Verdict: inconclusive, see the notes. Same rows before and after: not checked.

        ## How tables are read

        | parameters | before | after |
        | --- | --- | --- |
        | typical | Seq Scan on events | Index Scan using events\_user\_id\_created\_at\_idx on events |

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

        - each side was measured once, so drift of the machine between the two is not excluded and no verdict is given; a claim needs 6 interleaved rounds of both phases or more
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

        Verdict: inconclusive, see the notes. Same rows before and after: not checked.

        How tables are read:
         parameters   before               after
        ────────────────────────────────────────────────
         typical      Seq Scan on events   not captured

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
        - each side was measured once, so drift of the machine between the two is not
          excluded and no verdict is given; a claim needs 6 interleaved rounds of both
          phases or more
        - the measurement after was interrupted: 0.2 s of 30 s were measured; measure
          the phase after again
        - after: 1 of 1 operations ended in an error; of these only timeouts are in the
          percentiles; look at `errors` in the record, and mend their cause before
          trusting the times
        - no plan of latest_of_user was captured after the fix; measure the phase after
          again
        - before: the client used 97 % of its processors; measure with more --threads or
          from another machine
        ");
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

        How tables are read:
         parameters                    before               after
        ────────────────────────────────────────────────────────────────────────────────
         latest_of_user: typical       Seq Scan on events   Index Scan using events_use
                                                            r_id_created_at_idx on
                                                            events
         a_count_of_all_events_of_a_   Seq Scan on events   Index Scan using events_use
         user_by_their_kind_in_the_l                        r_id_created_at_idx on
         ast_month: typical                                 events
         latest_of_user: hot           Seq Scan on events   Seq Scan on events
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
        let (thresholds, _) = text.split_once("\n\nHow tables").unwrap();
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
}
