//! What a record says of parts of the load: statements, stages, plans, errors.

use super::{
    super::{
        document::{Align, Block, Table},
        rows,
    },
    distribution,
};
use crate::{
    record::{ErrorCount, Latency, Record, StageFigures, StatementFigures},
    text,
};

/// Figures by operation; nothing where there is one that has no steps, for it is the whole.
pub(super) fn statements(statements: &[StatementFigures]) -> Vec<Block> {
    let scripts = statements.iter().any(|statement| !statement.steps.is_empty());
    if statements.len() < 2 && !scripts {
        return Vec::new();
    }
    let mut table = Table::of_figures(&["statement", "operations", "errors", "p50", "p95", "p99", "max"]);
    let mut row = |name: String, (count, errors): (u64, u64), latency: &Latency| {
        let head = [name, text::count(count), text::count(errors)];
        table.texts(head.into_iter().chain(["p50", "p95", "p99", "max"].map(|name| time(latency, name))));
    };
    for statement in statements {
        let totals = &statement.totals;
        row(statement.name.clone(), (totals.operations, totals.errors), &statement.latency_ms);
        for step in &statement.steps {
            row(format!("- {}", step.name), (step.executions, step.errors), &step.service_ms);
        }
    }
    let mut blocks = vec![Block::Table(table)];
    if scripts {
        let legend =
            "A row that starts with - is a step of the script above it, with its executions and service times.";
        blocks.push(Block::Paragraph(legend.into()));
    }
    blocks
}

/// Figures by stage; nothing where there is none.
pub(super) fn stages(record: &Record) -> Vec<Block> {
    if record.stages.is_empty() {
        return Vec::new();
    }
    let what = if record.load.model == "closed" { "clients" } else { "arrivals/s" };
    let mut table = Table::of_figures(&["stage", what, "errors", "throughput", "p50", "p95", "p99"]);
    for stage in &record.stages {
        let StageFigures { start_s, length_s, from, to, totals, latency_ms, .. } = stage;
        let range = if from == to { format!("{from}") } else { format!("{from} to {to}") };
        table.row([
            format!("{start_s:.0}-{:.0} s", start_s + length_s),
            range,
            text::count(totals.errors),
            text::per_second(totals.throughput_per_s),
            time(latency_ms, "p50"),
            time(latency_ms, "p95"),
            time(latency_ms, "p99"),
        ]);
    }
    vec![Block::Table(table)]
}

/// The captured plans; nothing where there is none.
pub(super) fn plans(record: &Record) -> Vec<Block> {
    if record.plans.is_empty() {
        return Vec::new();
    }
    let mut table = Table::of_figures(&["parameters", "time", "rows read", "buffers", "tables read by"]);
    if let Some(last) = table.columns.last_mut() {
        last.align = Align::Left;
    }
    let one = record.plans.iter().all(|plan| plan.statement == record.plans[0].statement);
    let nothing = || text::NOTHING.to_owned();
    for plan in &record.plans {
        let class = if one && record.statements.len() < 2 {
            plan.class.clone()
        } else {
            format!("{}: {}", plan.statement, plan.class)
        };
        table.row([
            class,
            plan.execution_ms.map_or_else(nothing, text::milliseconds),
            plan.rows_read.map_or_else(nothing, text::count),
            plan.buffers().map_or_else(nothing, text::count),
            rows::scans(Some(plan)),
        ]);
    }
    vec![Block::Table(table)]
}

/// Errors by SQLSTATE; nothing where there is none.
pub(super) fn errors(errors: &[ErrorCount]) -> Vec<Block> {
    if errors.is_empty() {
        return Vec::new();
    }
    let mut table = Table::of_words(&["SQLSTATE", "count", "one of the messages"]);
    for error in errors {
        table.row([error.code(), text::count(error.count), error.message().to_owned()]);
    }
    vec![Block::Table(table)]
}

fn time(latency: &Latency, name: &str) -> String {
    let times = distribution(latency);
    times.into_iter().find(|(known, _)| *known == name).map_or_else(String::new, |(_, text)| text)
}
