//! A record as a document.

use super::{
    document::{Block, Document, Table},
    rows, units,
};
use crate::record::{Latency, Record, StatementFigures};

/// A record for a person.
pub fn record(record: &Record) -> Document {
    let mut blocks = vec![
        Block::Headline(headline(record)),
        Block::Paragraph(about(record)),
        Block::Table(times(record)),
        Block::Table(totals(record)),
    ];
    if record.statements.len() > 1 {
        blocks.extend([Block::Heading("By statement".into()), Block::Table(statements(&record.statements))]);
    }
    if !record.plans.is_empty() {
        blocks.extend([Block::Heading("Plans".into()), Block::Table(plans(record))]);
    }
    if !record.errors.is_empty() {
        let mut table = Table::of_words(&["SQLSTATE", "count", "one of the messages"]);
        for error in &record.errors {
            table.row([error.sqlstate.clone(), units::count(error.count), error.sample.clone()]);
        }
        blocks.extend([Block::Heading("Errors".into()), Block::Table(table)]);
    }
    if !record.warnings.is_empty() {
        let points = record.warnings.iter().map(rows::warning).collect();
        blocks.extend([Block::Heading("Warnings".into()), Block::List(points)]);
    }
    Document { blocks }
}

/// `before: p99 307 ms at 90.5/s`.
fn headline(record: &Record) -> String {
    if record.totals.operations == 0 {
        return format!("{}: nothing was measured", record.phase);
    }
    let highest = record.latency_ms.percentiles().into_iter().rev().filter(|percentile| percentile.name != "p999");
    let highest = highest.filter_map(|percentile| Some((percentile.name, percentile.value?))).next();
    let rate = units::per_second(record.totals.throughput_per_s);
    match highest {
        Some((name, value)) => format!("{}: {name} {} at {rate}", record.phase, units::milliseconds(value)),
        None => format!("{}: too few samples for a percentile, at {rate}", record.phase),
    }
}

fn about(record: &Record) -> String {
    let load = &record.load;
    let rate = load.rate.map(|rate| format!(" at {}", units::per_second(rate))).unwrap_or_default();
    let managed = if record.server.managed { ", managed by latclinic" } else { "" };
    let mut text = format!(
        "Scenario {}, {} load of {} clients{rate}, {:.1} s measured, PostgreSQL {}{managed}.",
        record.scenario, load.model, load.clients, record.measured_s, record.server.version,
    );
    if record.interrupted {
        let why = record.interrupted_by.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        text.push_str(&format!(" Interrupted{why}: {} s were asked for.", load.duration_s));
    }
    text
}

/// In a closed load service is response and there is no lag, so they would say nothing.
fn times(record: &Record) -> Table {
    if record.load.model == "closed" {
        let mut table = Table::of_figures(&["time", "response"]);
        for (name, response) in distribution(&record.latency_ms) {
            table.row([name.into(), response]);
        }
        return table;
    }
    let mut table = Table::of_figures(&["time", "response", "service", "lag"]);
    let (service, lag) = (distribution(&record.service_ms), distribution(&record.lag_ms));
    for (((name, response), (_, service)), (_, lag)) in
        distribution(&record.latency_ms).into_iter().zip(service).zip(lag)
    {
        table.row([name.into(), response, service, lag]);
    }
    table
}

fn distribution(latency: &Latency) -> Vec<(&'static str, String)> {
    let time = |value: Option<f64>| value.map_or_else(|| units::NOTHING.into(), units::milliseconds);
    let mut rows = vec![("min", time(latency.min)), ("mean", time(latency.mean))];
    for percentile in latency.percentiles() {
        let name = if percentile.name == "p999" { "p99.9" } else { percentile.name };
        let text = match percentile.value {
            Some(value) => units::milliseconds(value),
            None => rows::unsupported(latency.samples, percentile.needed),
        };
        rows.push((name, text));
    }
    rows.push(("max", time(latency.max)));
    rows
}

fn totals(record: &Record) -> Table {
    let mut table = Table::of_figures(&["total", "value"]);
    let totals = &record.totals;
    table.row(["operations".into(), units::count(totals.operations)]);
    table.row(["errors".into(), units::count(totals.errors)]);
    table.row(["error rate".into(), units::share(totals.error_rate)]);
    table.row(["throughput".into(), units::per_second(totals.throughput_per_s)]);
    table.row(["samples behind the times".into(), units::count(record.latency_ms.samples)]);
    table.row(["client's share of its processors".into(), units::share(record.client.cpu_share)]);
    table
}

fn statements(statements: &[StatementFigures]) -> Table {
    let mut table = Table::of_figures(&["statement", "operations", "errors", "p50", "p95", "p99", "max"]);
    for statement in statements {
        let times = distribution(&statement.latency_ms);
        let time = |name: &str| times.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text).to_owned();
        table.row([
            statement.name.clone(),
            units::count(statement.totals.operations),
            units::count(statement.totals.errors),
            time("p50"),
            time("p95"),
            time("p99"),
            time("max"),
        ]);
    }
    table
}

fn plans(record: &Record) -> Table {
    let mut table = Table::of_figures(&["parameters", "time", "rows read", "buffers", "tables read by"]);
    if let Some(last) = table.columns.last_mut() {
        last.align = super::Align::Left;
    }
    for plan in &record.plans {
        let class = if record.statements.len() > 1 {
            format!("{}: {}", plan.statement, plan.class)
        } else {
            plan.class.clone()
        };
        table.row([
            class,
            units::milliseconds(plan.execution_ms),
            units::count(plan.rows_read),
            units::count(plan.buffers_hit.saturating_add(plan.buffers_read)),
            rows::scans(Some(plan)),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{ErrorCount, Phase, Totals, Warning, sample},
        render::{markdown, terminal},
    };

    fn plain(shown: &Record) -> String {
        let text = terminal(&record(shown), 80, false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text
    }

    #[test]
    fn a_record_for_a_terminal() {
        insta::assert_snapshot!(plain(&sample::record(Phase::Before)), @"
        before: p99 307 ms at 90.5/s

        Scenario events, closed load of 8 clients, 30.2 s measured, PostgreSQL 15.18,
        managed by latclinic.

         time       response
        ─────────────────────
         min         21.4 ms
         mean        88.2 ms
         p50         80.5 ms
         p90          161 ms
         p95          190 ms
         p99          307 ms
         p99.9   needs 2 995
         max          413 ms

         total                               value
        ───────────────────────────────────────────
         operations                          2 716
         errors                                  0
         error rate                            0 %
         throughput                         90.5/s
         samples behind the times            2 716
         client's share of its processors   5.80 %

        Plans:
         parameters      time   rows read   buffers   tables read by
        ─────────────────────────────────────────────────────────────────
         typical      74.8 ms   1 000 000    17 412   Seq Scan on events
        ");
    }

    #[test]
    fn a_record_for_github() {
        insta::assert_snapshot!(markdown(&record(&sample::record(Phase::After))), @r"
        # after: p99 399 µs at 84 711/s

        Scenario events, closed load of 8 clients, 30.0 s measured, PostgreSQL 15.18, managed by latclinic.

        | time | response |
        | --- | ---: |
        | min | 41.0 µs |
        | mean | 93.1 µs |
        | p50 | 84.2 µs |
        | p90 | 131 µs |
        | p95 | 163 µs |
        | p99 | 399 µs |
        | p99.9 | 870 µs |
        | max | 4.21 ms |

        | total | value |
        | --- | ---: |
        | operations | 2 541 337 |
        | errors | 0 |
        | error rate | 0 % |
        | throughput | 84 711/s |
        | samples behind the times | 2 541 337 |
        | client's share of its processors | 5.80 % |

        ## Plans

        | parameters | time | rows read | buffers | tables read by |
        | --- | ---: | ---: | ---: | --- |
        | typical | 46.0 µs | 20 | 23 | Index Scan using events\_user\_id\_created\_at\_idx on events |
        ");
    }

    #[test]
    fn an_open_load_with_errors_and_two_statements() {
        let mut shown = sample::record(Phase::Before);
        shown.load.model = "open".into();
        shown.load.rate = Some(120.0);
        shown.lag_ms = sample::latency([0.01, 0.1, 0.1, 0.2, f64::NAN, f64::NAN, f64::NAN, 2.0], 40);
        shown.statements.push(sample::statement("count_by_kind", Totals::default(), Latency::default()));
        shown.errors.push(ErrorCount {
            sqlstate: "57014".into(),
            count: 1_204,
            sample: "canceling statement due to statement timeout\nCONTEXT: a|b".into(),
        });
        shown.warnings.push(Warning {
            id: "too-few-samples".into(),
            message: "p99.9 needs 2 995 samples; there are 2 716".into(),
            advice: "measure longer with --duration".into(),
        });
        insta::assert_snapshot!(plain(&shown), @"
        before: p99 307 ms at 90.5/s

        Scenario events, open load of 8 clients at 120/s, 30.2 s measured, PostgreSQL
        15.18, managed by latclinic.

         time       response       service           lag
        ─────────────────────────────────────────────────
         min         21.4 ms       21.4 ms       10.0 µs
         mean        88.2 ms       88.2 ms        100 µs
         p50         80.5 ms       80.5 ms        100 µs
         p90          161 ms        161 ms        200 µs
         p95          190 ms        190 ms      needs 59
         p99          307 ms        307 ms     needs 299
         p99.9   needs 2 995   needs 2 995   needs 2 995
         max          413 ms        413 ms       2.00 ms

         total                               value
        ───────────────────────────────────────────
         operations                          2 716
         errors                                  0
         error rate                            0 %
         throughput                         90.5/s
         samples behind the times            2 716
         client's share of its processors   5.80 %

        By statement:
         statement        operations   errors       p50      p95      p99      max
        ───────────────────────────────────────────────────────────────────────────
         latest_of_user        2 716        0   80.5 ms   190 ms   307 ms   413 ms
         count_by_kind             0        0         -        -        -        -

        Plans:
         parameters                   time   rows read   buffers   tables read by
        ──────────────────────────────────────────────────────────────────────────────
         latest_of_user: typical   74.8 ms   1 000 000    17 412   Seq Scan on events

        Errors:
         SQLSTATE   count   one of the messages
        ──────────────────────────────────────────────────────────────────────────────
         57014      1 204   canceling statement due to statement timeout CONTEXT: a|b

        Warnings:
        - p99.9 needs 2 995 samples; there are 2 716; measure longer with --duration
        ");
    }

    #[test]
    fn nothing_measured() {
        let mut shown = sample::record(Phase::Before);
        shown.interrupted = true;
        shown.interrupted_by = Some("Ctrl-C".into());
        shown.measured_s = 0.0;
        shown.totals = Totals::default();
        shown.latency_ms = Latency::default();
        shown.plans.clear();
        insta::assert_snapshot!(plain(&shown), @"
        before: nothing was measured

        Scenario events, closed load of 8 clients, 0.0 s measured, PostgreSQL 15.18,
        managed by latclinic. Interrupted (Ctrl-C): 30 s were asked for.

         time    response
        ──────────────────
         min            -
         mean           -
         p50            -
         p90            -
         p95            -
         p99            -
         p99.9          -
         max            -

         total                               value
        ───────────────────────────────────────────
         operations                              0
         errors                                  0
         error rate                            0 %
         throughput                            0/s
         samples behind the times                0
         client's share of its processors   5.80 %
        ");
    }
}
