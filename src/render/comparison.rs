//! A comparison as a document.

use super::{
    document::{Align, Block, Cell, Document, Table},
    findings::finding_changes,
    gates,
    plan_changes::plan_changes,
    price::{price, price_line},
    results::results,
    rows,
};
use crate::{
    compare::{Comparison, Method, Metric, Side, Verdict},
    record::ErrorCount,
    text,
};

/// The one line that matters: `p99 307 ms -> 399 µs, 770x faster`.
pub fn headline(comparison: &Comparison) -> String {
    let Some(metric) = comparison.headline() else {
        return "no percentile has enough samples on both sides".into();
    };
    let side = |value: Option<f64>| value.map_or_else(|| text::NOTHING.into(), |value| rows::value(value, metric.unit));
    let name = rows::metric_name(metric.name);
    let wrong = if comparison.results_identical == Some(false) { "DIFFERENT ROWS than before, " } else { "" };
    let mut line = format!("{wrong}{name} {} -> {}", side(metric.before), side(metric.after));
    if let Some(effect) = rows::effect(metric) {
        line.push_str(&format!(", {effect}"));
    }
    if let Some(rounds) = comparison.run.as_ref().map(|run| run.rounds) {
        line.push_str(&format!(", {}", text::counted(rounds, "round")));
    }
    if [&comparison.sides.before, &comparison.sides.after].iter().any(|side| side.interrupted) {
        line.push_str(", interrupted");
    }
    if let Some(above) = unsupported_above(comparison, metric) {
        line.push_str(&format!(" (too few samples for {above})"));
    }
    let others = comparison.mixed();
    if !others.is_empty() {
        let other = |metric: &&Metric| {
            let (statement, name) = (metric.statement.as_deref().unwrap_or_default(), rows::metric_name(metric.name));
            format!("{statement} {name} {}", rows::effect(metric).unwrap_or_default())
        };
        let others: Vec<String> = others.iter().map(other).collect();
        line.push_str(&format!("; but not the same for all statements: {}", others.join("; ")));
    }
    line
}

/// The verdict, and what it means: `improved over 6 interleaved rounds: p99 is 672 to 1 190 times lower ..`.
pub(super) fn verdict(comparison: &Comparison) -> String {
    let tolerance = text::percent(comparison.tolerance);
    let word = comparison.verdict.as_str();
    let metric = comparison.headline();
    let ends = metric.and_then(|metric| Some((metric, metric.ci_low?, metric.ci_high?, metric.confidence?)));
    let Some((metric, low, high, confidence)) = ends else {
        let why = metric.and_then(|metric| metric.reason.clone()).unwrap_or_else(|| match comparison.method {
            Method::Once => "each side was measured once, without intervals".into(),
            _ => "no percentile has an interval".into(),
        });
        return format!("{word}: {why}");
    };
    let name = rows::metric_name(metric.name);
    let (measured, doubt) = match (comparison.method, &comparison.run) {
        (Method::Rounds, Some(run)) => (format!("{word} over {}", text::counted(run.rounds, "interleaved round")), ""),
        _ => (word.to_owned(), "; judged by the variation within each side, drift between them is not ruled out"),
    };
    let ratio = metric.ratio.unwrap_or(1.0);
    let unit = if rows::is_factor(ratio) { " times" } else { " %" };
    let interval = format!("{}{unit}", rows::interval(ratio, low, high));
    let confidence = text::percent(confidence);
    let meaning = match comparison.verdict {
        Verdict::Improved | Verdict::Regressed => {
            let change = match () {
                () if !rows::is_factor(ratio) => format!("the change of {name} is {interval}"),
                () if ratio < 1.0 => format!("{name} is {interval} lower"),
                () => format!("{name} is {interval} higher"),
            };
            format!("{change} ({confidence} confidence), more than the {tolerance} tolerance")
        }
        Verdict::Equivalent => {
            format!("the change of {name} is {interval} ({confidence} confidence), within the {tolerance} tolerance")
        }
        Verdict::Inconclusive => match &metric.reason {
            Some(reason) => format!("{reason}; the change of {name} is {interval} ({confidence} confidence)"),
            None => format!(
                "the change of {name} lies within {interval} ({confidence} confidence), which does not clear the \
                 {tolerance} tolerance"
            ),
        },
    };
    format!("{measured}: {meaning}{doubt}")
}

/// What noise of this machine the verdict has to stand out from.
pub(super) fn noise(comparison: &Comparison) -> Option<String> {
    let noise = comparison.noise.as_ref()?;
    let floors: Vec<String> = comparison
        .metrics
        .iter()
        .filter_map(|metric| Some(format!("{} {}", rows::metric_name(metric.name), text::percent(metric.noise_floor?))))
        .collect();
    let at = noise.measured_at.strftime("%Y-%m-%d %H:%MZ");
    Some(format!(
        "of this machine, over {} without a fix at {at}: {}",
        text::counted(noise.rounds, "round"),
        floors.join(", ")
    ))
}

/// What noise was found, by a comparison without a fix.
pub(super) fn floors(comparison: &Comparison) -> String {
    let floor = |metric: &Metric| {
        let floor = metric.smallest_difference(comparison.tolerance)?;
        Some(format!("{} {}", rows::metric_name(metric.name), text::percent(floor)))
    };
    let floors: Vec<String> = comparison.metrics.iter().filter_map(floor).collect();
    format!(
        "both sides are without the fix; the smallest differences that this machine could show: {}",
        floors.join(", ")
    )
}

/// A comparison for a person.
pub fn comparison(comparison: &Comparison) -> Document {
    let several = comparison.statements.len() > 1;
    let is_aa = comparison.run.as_ref().is_some_and(|run| run.aa);
    let mut blocks = vec![
        Block::Headline(headline(comparison)),
        Block::Paragraph(match is_aa {
            true => format!("Scenario {}, without its fix on both sides.", comparison.scenario),
            false => format!("Scenario {}, fix: {}.", comparison.scenario, comparison.fix),
        }),
        // With several statements each one's plans stand with its own figures.
        Block::Table(metrics(
            comparison,
            comparison.metrics.iter().filter(|metric| !several || metric.statement.is_none()),
            None,
        )),
        Block::Paragraph(format!("Verdict: {}.", verdict(comparison))),
    ];
    match is_aa {
        true => blocks.push(Block::Paragraph(format!("Noise: {}.", floors(comparison)))),
        false => blocks.extend(noise(comparison).map(|noise| Block::Paragraph(format!("Noise {noise}.")))),
    }
    match &comparison.results {
        Some(check) => blocks.extend(results(check)),
        None if is_aa => {}
        None => blocks.push(Block::Paragraph("Same rows before and after: not checked.".into())),
    }
    if let Some(of_fix) = &comparison.price {
        blocks.push(Block::Paragraph(format!("The fix {}.", price_line(of_fix))));
    }
    blocks.extend(gates::blocks(&comparison.gates));
    for statement in comparison.statements.iter().filter(|_| several) {
        let of_plans = comparison.metrics.iter().filter(|metric| is_of(metric, &statement.name));
        blocks.push(Block::Heading(format!("Statement {}", statement.name)));
        blocks.push(Block::Table(metrics(comparison, statement.metrics.iter().chain(of_plans), Some(&statement.name))));
    }
    if !comparison.plans.is_empty() {
        blocks.push(Block::Heading("What changed in the plans".into()));
        blocks.extend(plan_changes(comparison, names(comparison)));
        blocks.push(Block::Heading("What stands out in the plans".into()));
        blocks.extend(finding_changes(comparison.findings.as_deref()));
    }
    if let Some(of_fix) = &comparison.price {
        blocks.push(Block::Heading("What the fix costs".into()));
        blocks.extend(price(of_fix));
    }
    blocks.extend([Block::Heading("Behind the figures".into()), Block::Table(sides(comparison))]);
    blocks.push(Block::List(vec![
        format!("{}: {}", names(comparison)[0], comparison.sides.before.folder),
        format!("{}: {}", names(comparison)[1], comparison.sides.after.folder),
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

pub(super) fn metrics<'a>(
    comparison: &Comparison,
    metrics: impl Iterator<Item = &'a Metric>,
    heading: Option<&str>,
) -> Table {
    if comparison.method == Method::Once {
        let mut table = Table::of_figures(&["metric", "before", "after", "change", "factor"]);
        table.rows.extend(metrics.map(|metric| named(comparison, metric, heading, rows::metric(metric))));
        return table;
    }
    let metrics: Vec<&Metric> = metrics.collect();
    // Corrected ones have others.
    let usual = comparison
        .metrics
        .iter()
        .filter_map(|metric| metric.confidence)
        .fold(None, |least, confidence| Some(least.map_or(confidence, |least: f64| least.min(confidence))));
    let [before, after] = names(comparison);
    let mut table = Table::of_figures(&["metric", before, after, "change", "interval", "verdict"]);
    table.columns[5].align = Align::Left;
    let row = |metric: &Metric| named(comparison, metric, heading, rows::judged(metric, usual.unwrap_or(0.95)));
    table.rows.extend(metrics.into_iter().map(row));
    table
}

/// The row of a plan's figure, with the statement or step that the plan is of where there are several: `plan pay: time`. `heading` is the
/// operation that the table is of, which need not be named again.
fn named(comparison: &Comparison, metric: &Metric, heading: Option<&str>, mut row: Vec<Cell>) -> Vec<Cell> {
    let mut of_plans = comparison.metrics.iter().filter_map(|metric| metric.statement.as_deref());
    let several = of_plans.next().is_some_and(|first| of_plans.any(|other| other != first));
    let statement = metric.statement.as_deref().filter(|statement| several && Some(*statement) != heading);
    if let Some(statement) = statement
        && let Some(figure) = row[0].text.strip_prefix("plan: ")
    {
        let only = match comparison.statements.as_slice() {
            [only] => Some(only.name.as_str()),
            _ => None,
        };
        let step = heading.or(only).and_then(|script| statement.strip_prefix(script)?.strip_prefix('.'));
        row[0] =
            Cell::plain(format!("plan {}: {}", step.unwrap_or(statement), figure.trim_start_matches("execution ")));
    }
    row
}

/// Whether a plan is of a statement, or of a step of the script of that name.
fn is_of(metric: &Metric, operation: &str) -> bool {
    let of = metric.statement.as_deref().unwrap_or_default();
    of == operation || of.strip_prefix(operation).is_some_and(|step| step.starts_with('.'))
}

/// What the sides are called: without a fix there is no before and after.
fn names(comparison: &Comparison) -> [&'static str; 2] {
    let is_aa = comparison.run.as_ref().is_some_and(|run| run.aa);
    if is_aa { ["a", "b"] } else { ["before", "after"] }
}

/// SQLSTATEs of the errors of both sides, with their class.
fn codes(comparison: &Comparison) -> Vec<String> {
    let sides = [&comparison.sides.before, &comparison.sides.after];
    let mut codes: Vec<String> = Vec::new();
    for code in sides.iter().flat_map(|side| &side.errors_by_sqlstate).map(ErrorCount::code) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

fn sides(comparison: &Comparison) -> Table {
    let [before, after] = names(comparison);
    let mut table = Table::of_figures(&["", before, after]);
    let mut row = |what: &str, figure: &dyn Fn(&Side) -> String| {
        table.rows.push(vec![
            Cell::plain(what),
            Cell::plain(figure(&comparison.sides.before)),
            Cell::plain(figure(&comparison.sides.after)),
        ]);
    };
    row("samples", &|side| text::count(side.samples));
    row("operations", &|side| text::count(side.operations));
    row("errors", &|side| text::count(side.errors));
    for code in codes(comparison) {
        let of_code = |side: &Side| {
            side.errors_by_sqlstate.iter().find(|error| error.code() == code).map_or(0, |error| error.count)
        };
        row(&format!("- SQLSTATE {code}"), &|side| text::count(of_code(side)));
    }
    row("measured", &|side| {
        let cut = if side.interrupted { ", interrupted" } else { "" };
        format!("{:.1} s{cut}", side.measured_s)
    });
    row("started", &|side| side.started_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    row("tables and indexes", &|side| text::bytes(side.dataset_bytes));
    table
}

pub(super) fn notes(comparison: &Comparison) -> Vec<String> {
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
pub(super) mod tests;
