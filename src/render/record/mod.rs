//! A record as a document.

mod outcomes;
mod server;
mod tables;

use super::{
    document::{Block, Document, Table},
    findings::findings,
    plan_trees::{Trees, trees},
    price, results, rows,
    under_load::under_load,
};
use crate::{
    record::{Latency, LoadInfo, PlanFigures, Record},
    text,
};

/// A record for a person.
pub fn record(record: &Record) -> Document {
    let mut blocks = vec![
        Block::Headline(headline(record)),
        Block::Paragraph(about(record)),
        Block::Table(times(record)),
        Block::Table(totals(record)),
    ];
    let mut part = |heading: String, content: Vec<Block>| {
        if !content.is_empty() {
            blocks.push(Block::Heading(heading));
            blocks.extend(content);
        }
    };
    part("Thresholds".into(), outcomes::thresholds(&record.thresholds));
    if let Some(capacity) = &record.capacity {
        part(outcomes::capacity_heading(capacity), outcomes::capacity(capacity));
    }
    part("Results".into(), record.results.as_ref().map_or_else(Vec::new, results::results));
    if let Some(of_fix) = &record.price {
        let line = Block::Paragraph(format!("It {}.", price::price_line(of_fix)));
        part("What the fix costs".into(), [vec![line], price::price(of_fix)].concat());
    }
    part("By statement".into(), tables::statements(&record.statements));
    part("By stage".into(), tables::stages(record));
    let mut plans = tables::plans(record);
    let sampled = record.plans_under_load.as_ref().map_or_else(Vec::new, under_load);
    if !plans.is_empty() && !sampled.is_empty() {
        plans.push(Block::List(sampled));
    }
    part("Plans".into(), plans);
    if !record.plans.is_empty() {
        let found = record.findings.as_deref();
        let plans: Vec<&PlanFigures> = record.plans.iter().collect();
        let trees = trees(&plans, found.unwrap_or_default(), Trees { prefix: "", in_terminal: false, numbered: true });
        part("What stands out in the plans".into(), [findings(found, &record.plans), trees].concat());
    }
    if let Some(activity) = &record.server_activity {
        part("Server".into(), server::activity(activity, record.totals.operations));
    }
    part("Errors".into(), tables::errors(&record.errors));
    if !record.warnings.is_empty() {
        part("Warnings".into(), vec![Block::List(record.warnings.iter().map(rows::warning).collect())]);
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
    let rate = text::per_second(record.totals.throughput_per_s);
    match highest {
        Some((name, value)) => format!("{}: {name} {} at {rate}", record.phase, text::milliseconds(value)),
        None => format!("{}: too few samples for a percentile, at {rate}", record.phase),
    }
}

fn about(record: &Record) -> String {
    let load = &record.load;
    let managed = if record.server.managed { ", managed by latclinic" } else { "" };
    let mut text = format!(
        "Scenario {}, {}, {:.1} s measured, PostgreSQL {}{managed}.",
        record.scenario,
        driven(load),
        record.measured_s,
        record.server.version,
    );
    if record.interrupted {
        let why = record.interrupted_by.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        text.push_str(&format!(" Interrupted{why}; {} s were asked for.", load.duration_s));
    }
    text
}

/// `open load of 8 clients at 120/s (poisson), over a pool of 4 connections`; what is usual is not said.
pub(super) fn driven(load: &LoadInfo) -> String {
    let mut text = format!("{} load of {} clients", load.model, load.clients);
    if let Some(rate) = load.rate {
        text.push_str(&format!(" at {}", text::per_second(rate)));
    }
    if let Some(arrivals) = &load.arrivals {
        text.push_str(&format!(" ({arrivals})"));
    }
    if let Some(time) = load.think_time_s {
        text.push_str(&format!(" with {} think time", text::milliseconds(time * 1e3)));
    }
    match &load.pool {
        Some(pool) => text.push_str(&format!(", over a pool of {} connections", pool.size)),
        None if load.connections == "operation" => text.push_str(", a connection for each operation"),
        None => {}
    }
    if load.protocol != "prepared" {
        text.push_str(&format!(", {} protocol", load.protocol));
    }
    text
}

/// In a closed load over connections of its own service is response and there is no lag, so they would say nothing.
fn times(record: &Record) -> Table {
    let mut columns = vec![("response", &record.latency_ms)];
    if record.load.model != "closed" || record.wait_ms.is_some() {
        columns.push(("service", &record.service_ms));
    }
    if record.load.model != "closed" {
        columns.push(("lag", &record.lag_ms));
    }
    if let Some(wait) = &record.wait_ms {
        columns.push(("wait", wait));
    }
    let titles: Vec<&'static str> = std::iter::once("time").chain(columns.iter().map(|(title, _)| *title)).collect();
    let mut table = Table::of_figures(&titles);
    let distributions: Vec<_> = columns.iter().map(|(_, latency)| distribution(latency)).collect();
    for (row, (name, _)) in distributions[0].iter().enumerate() {
        let texts = distributions.iter().map(|distribution| distribution[row].1.clone());
        table.texts(std::iter::once((*name).to_owned()).chain(texts));
    }
    table
}

pub(super) fn distribution(latency: &Latency) -> Vec<(&'static str, String)> {
    let time = |value: Option<f64>| value.map_or_else(|| text::NOTHING.into(), text::milliseconds);
    let mut rows = vec![("min", time(latency.min)), ("mean", time(latency.mean))];
    for percentile in latency.percentiles() {
        let name = if percentile.name == "p999" { "p99.9" } else { percentile.name };
        let text = match percentile.value {
            Some(value) => text::milliseconds(value),
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
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("operations", text::count(totals.operations));
    row("errors", text::count(totals.errors));
    row("error rate", text::share(totals.error_rate));
    row("throughput", text::per_second(totals.throughput_per_s));
    if let Some(arrivals) = &record.arrivals {
        row("planned rate", text::per_second(arrivals.planned_rate_per_s));
        row("achieved rate", text::per_second(arrivals.achieved_rate_per_s));
    }
    for (name, count) in [("skipped", totals.skipped), ("late", totals.late), ("retries", totals.retries)] {
        if count > 0 {
            row(name, text::count(count));
        }
    }
    if let Some(connections) = &record.connections {
        if connections.lost > 0 {
            row("connections lost", text::count(connections.lost));
        }
        if connections.failed_attempts > 0 {
            row("failed attempts to connect", text::count(connections.failed_attempts));
        }
        if connections.without_s > 0.0 {
            row("clients without a connection, in total", text::milliseconds(connections.without_s * 1e3));
        }
    }
    row("samples behind the times", text::count(record.latency_ms.samples));
    row("client's share of its processors", text::share(record.client.cpu_share));
    table
}

#[cfg(test)]
mod tests;
