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
mod tests;
