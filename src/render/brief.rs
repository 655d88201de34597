//! A comparison on a screen: what fits into [`MOST_LINES`]. [`comparison`](super::comparison()) is the same in full.

use std::cmp::Reverse;

use super::{
    columns::{columns, shortened},
    comparison::{self, headline},
    document::{Block, Document, Table, clean},
    findings, gates, plan_changes,
    price::price_line,
    record::driven,
    results, rows, terminal, under_load,
};
use crate::{
    compare::{Comparison, FindingState, GateKind, Metric, MetricName, Setup, Side, StatementText, Verdict},
    record::{ErrorCount, Outcome, Severity},
    text,
};

/// Lines that a comparison takes at most in 80 columns, with the line after it that names the folder.
const MOST_LINES: usize = 45;

/// Notes that say why a verdict is missing or of a part only.
const ALWAYS_SHOWN: [&str; 2] = ["interrupted", "no-histogram"];

/// How much of each part is shown.
struct Room {
    /// Columns of a text that others wrote.
    text: usize,
    /// Columns of a point.
    point: usize,
    /// Statements in the table.
    statements: usize,
    /// Points on what changed in the plans.
    changes: usize,
    /// Points on findings.
    findings: usize,
    /// Notes among what to do next.
    notes: usize,
    /// Gates and thresholds.
    gates: usize,
}

/// From the widest to what always fits.
const ROOMS: [Room; 7] = [
    Room { text: 400, point: 400, statements: 8, changes: 8, findings: 5, notes: 8, gates: 12 },
    Room { text: 230, point: 230, statements: 6, changes: 4, findings: 3, notes: 5, gates: 10 },
    Room { text: 160, point: 230, statements: 4, changes: 3, findings: 2, notes: 3, gates: 8 },
    Room { text: 160, point: 160, statements: 3, changes: 2, findings: 1, notes: 2, gates: 6 },
    Room { text: 150, point: 160, statements: 2, changes: 1, findings: 1, notes: 1, gates: 5 },
    Room { text: 130, point: 150, statements: 0, changes: 1, findings: 0, notes: 0, gates: 4 },
    Room { text: 65, point: 75, statements: 0, changes: 1, findings: 0, notes: 0, gates: 0 },
];

/// A comparison for a terminal of `width` columns. `fix_left` says how the fix was left, and how to take it back.
pub fn brief(comparison: &Comparison, fix_left: Option<&str>, width: usize) -> Document {
    let mut shown = Document::default();
    for room in &ROOMS {
        shown = in_room(comparison, fix_left, room);
        if terminal(&shown, width, false).lines().count() < MOST_LINES {
            break;
        }
    }
    shown
}

fn in_room(comparison: &Comparison, fix_left: Option<&str>, room: &Room) -> Document {
    let line = headline(comparison);
    let mut blocks = vec![Block::Headline(cut(&line, 2 * room.text))];
    blocks.push(Block::Facts(measured(comparison, room)));
    blocks.push(Block::Table(metrics(comparison, room)));
    blocks.push(Block::Facts(found(comparison, room)));
    blocks.extend(conditions(comparison, room));
    let changes = changes(comparison, room);
    if !changes.is_empty() {
        blocks.extend([Block::Heading("What changed in the plans".into()), Block::List(changes)]);
    }
    let next = next(comparison, fix_left, room);
    blocks.extend([Block::Heading("What to do next".into()), Block::List(next)]);
    blocks.push(Block::Facts(vec![
        ("Result", cut(&line, 2 * room.text)),
        ("Verdict", format!("{}{}", comparison.verdict.as_str(), gates_in_a_line(comparison))),
    ]));
    Document { blocks }
}

/// What was measured: query, fix, load, data, server, machine.
fn measured(comparison: &Comparison, room: &Room) -> Vec<(&'static str, String)> {
    let is_aa = comparison.run.as_ref().is_some_and(|run| run.aa);
    let fix = if is_aa { "none, on both sides (--aa)".to_owned() } else { cut(&comparison.fix, room.text) };
    let mut facts = vec![("Scenario", cut(&comparison.scenario, room.text))];
    let Some(setup) = &comparison.setup else {
        facts.push(("Fix", fix));
        return facts;
    };
    facts.push(("Query", queries(setup, room)));
    facts.push(("Fix", fix));
    let sides = &comparison.sides;
    if comparison.run.is_none() {
        let records = format!("before {}, after {}", sides.before.folder, sides.after.folder);
        facts.push(("Records", cut(&records, room.text)));
    }
    let rounds = comparison.run.as_ref().map(|run| format!(", {}", text::counted(run.rounds, "round")));
    facts.push((
        "Load",
        format!(
            "{}{}: {:.1} s before, {:.1} s after",
            driven(&setup.load),
            rounds.unwrap_or_default(),
            sides.before.measured_s,
            sides.after.measured_s
        ),
    ));
    facts.push(("Data", cut(&data(setup, &sides.before, &sides.after), room.text)));
    let managed = if setup.server_managed { ", managed by latclinic" } else { "" };
    let machine = &setup.machine;
    facts.push((
        "Server",
        cut(
            &format!(
                "PostgreSQL {}{managed}; load from {}, {} ({}), {}",
                setup.server_version,
                text::counted(machine.cores, "core"),
                text::bytes(machine.memory_bytes),
                machine.cpu,
                machine.os
            ),
            room.text,
        ),
    ));
    facts
}

/// The SQL of the only statement; of several their names too.
fn queries(setup: &Setup, room: &Room) -> String {
    match setup.statements.as_slice() {
        [only] => cut(&only.sql, room.text),
        all => {
            let one =
                |statement: &StatementText| format!("{}: {}", statement.name, shortened(&clean(&statement.sql), 60));
            let shown: Vec<String> = all.iter().take(room.statements.max(1)).map(one).collect();
            let more = all.len() - shown.len();
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            cut(&format!("{}{more}", shown.join("; ")), room.text)
        }
    }
}

/// `events 1 000 000 rows; 142 MB before, 172 MB after`.
fn data(setup: &Setup, before: &Side, after: &Side) -> String {
    let tables = setup.rows.iter().map(|(table, rows)| format!("{table}: {}", text::counted(*rows, "row")));
    let mut parts: Vec<String> = tables.collect();
    let (from, to) = (text::bytes(before.dataset_bytes), text::bytes(after.dataset_bytes));
    parts.push(if from == to { from } else { format!("{from} before, {to} after") });
    parts.join("; ")
}

/// The workload's figures; of several statements the highest percentile of each too.
fn metrics(comparison: &Comparison, room: &Room) -> Table {
    let several = comparison.statements.len() > 1;
    let of_all = comparison.metrics.iter().filter(|metric| !several || metric.statement.is_none());
    let mut table = comparison::metrics(comparison, of_all, None);
    if !several {
        // A script has the plans of its steps.
        table.rows.truncate(6 + 3 * room.statements);
        return table;
    }
    for statement in comparison.statements.iter().take(room.statements) {
        let highest = [MetricName::P99, MetricName::P95, MetricName::P50].into_iter().find_map(|name| {
            let of_name = statement.metrics.iter().find(|metric| metric.name == name)?;
            (of_name.before.is_some() && of_name.after.is_some()).then_some(of_name)
        });
        let Some(metric) = highest else { continue };
        let mut rows = comparison::metrics(comparison, std::iter::once(metric), None).rows;
        for row in &mut rows {
            row[0].text = format!("{} {}", shortened(&clean(&statement.name), 24), row[0].text);
        }
        table.rows.append(&mut rows);
    }
    table
}

/// What was found: verdict, noise, results, price, errors, gates.
fn found(comparison: &Comparison, room: &Room) -> Vec<(&'static str, String)> {
    let is_aa = comparison.run.as_ref().is_some_and(|run| run.aa);
    let mut facts = vec![("Verdict", cut(&comparison::verdict(comparison), 2 * room.text))];
    match is_aa {
        true => facts.push(("Noise", comparison::floors(comparison))),
        false => facts.extend(comparison::noise(comparison).map(|noise| ("Noise", noise))),
    }
    match &comparison.results {
        Some(check) => facts.push(("Results", cut(&results::in_a_line(check), room.text))),
        None if is_aa => {}
        None => facts.push(("Results", "not checked whether the rows are the same before and after".into())),
    }
    if let Some(price) = &comparison.price {
        let line = price_line(price);
        facts.push(("Price", cut(line.strip_prefix("costs ").unwrap_or(&line), 2 * room.text)));
    }
    let errors = errors(&comparison.sides.before, &comparison.sides.after);
    if !errors.is_empty() {
        facts.push(("Errors", cut(&errors, room.text)));
    }
    facts
}

/// `SQLSTATE 22012 (data exception): 12 before, 0 after (division by zero)`, the most frequent first; empty without errors.
fn errors(before: &Side, after: &Side) -> String {
    let mut codes: Vec<&ErrorCount> = Vec::new();
    for error in before.errors_by_sqlstate.iter().chain(&after.errors_by_sqlstate) {
        if codes.iter().all(|known| known.sqlstate != error.sqlstate) {
            codes.push(error);
        }
    }
    let counted = |side: &Side, code: &str| {
        side.errors_by_sqlstate.iter().find(|error| error.sqlstate == code).map_or(0, |error| error.count)
    };
    codes.sort_by_key(|error| Reverse(counted(before, &error.sqlstate) + counted(after, &error.sqlstate)));
    let words = codes.iter().map(|error| {
        let [before, after] = [before, after].map(|side| text::count(counted(side, &error.sqlstate)));
        format!("SQLSTATE {}: {before} before, {after} after ({})", error.code(), error.message())
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Thresholds and gates, first those that did not pass.
fn conditions(comparison: &Comparison, room: &Room) -> Vec<Block> {
    let mut all = comparison.gates.clone();
    all.sort_by_key(|gate| match gate.outcome {
        Outcome::Failed => 0,
        Outcome::Undecided => 1,
        Outcome::Passed => 2,
    });
    all.truncate(room.gates);
    for gate in &mut all {
        gate.expression = cut(&gate.expression, room.text.min(100));
        gate.reason = gate.reason.as_deref().map(|reason| cut(reason, room.text.min(100)));
    }
    gates::blocks(&all)
}

/// `; gates: 1 failed, 2 passed`, or nothing without any.
fn gates_in_a_line(comparison: &Comparison) -> String {
    let counted = |outcome| match gates::count(&comparison.gates, outcome) {
        0 => None,
        count => Some(format!("{count} {}", gates::outcome_name(outcome))),
    };
    let counts: Vec<String> =
        [Outcome::Failed, Outcome::Undecided, Outcome::Passed].into_iter().filter_map(counted).collect();
    let only = |kind| comparison.gates.iter().all(|gate| (gate.kind == GateKind::Threshold) == kind);
    let what = match () {
        () if only(true) => "thresholds",
        () if only(false) => "gates",
        () => "gates and thresholds",
    };
    if counts.is_empty() { String::new() } else { format!("; {what}: {}", counts.join(", ")) }
}

/// What changed in the plans and in the findings on them.
fn changes(comparison: &Comparison, room: &Room) -> Vec<String> {
    let mut points: Vec<String> = plan_changes::in_brief(comparison).into_iter().take(room.changes).collect();
    points.extend(under_load::in_brief([&comparison.sides.before, &comparison.sides.after]));
    let changes = comparison.findings.as_deref().unwrap_or_default();
    let above = changes.iter().filter(|change| change.worst().is_some_and(|worst| worst.severity > Severity::Info));
    points.extend(above.take(room.findings).map(findings::in_brief));
    points.iter().map(|point| cut(point, room.point)).collect()
}

/// What to do next, the most urgent first; the last point says where the rest is.
fn next(comparison: &Comparison, fix_left: Option<&str>, room: &Room) -> Vec<String> {
    let mut points: Vec<String> = fix_left.map(str::to_owned).into_iter().collect();
    let mut important: Vec<String> = Vec::new();
    for note in comparison.notes.iter().filter(|note| ALWAYS_SHOWN.contains(&note.id.as_str())) {
        // Both sides may have it for the same reason.
        let note = rows::warning(note);
        if !important.contains(&note) {
            important.push(note);
        }
    }
    points.extend(important.clone());
    points.extend(too_few_samples(comparison));
    let mut advice: Vec<String> = Vec::new();
    if comparison.verdict == Verdict::Inconclusive
        && comparison.headline().is_some_and(|metric| metric.ci_low.is_some())
    {
        advice.push(match comparison.run {
            Some(_) => "to narrow the interval, measure more rounds or longer blocks, such as \
                        `--rounds 12 --block 10s`"
                .into(),
            None => "for a verdict that excludes drift, measure both phases in one `latclinic run`".into(),
        });
    }
    let rule = comparison.findings.iter().flatten().find(|change| {
        let left = !matches!(change.change, FindingState::Gone | FindingState::Unknown);
        left && change.worst().is_some_and(|worst| worst.severity > Severity::Info)
    });
    advice.extend(rule.map(|change| {
        format!("a finding is left after the fix: `latclinic explain --rule {}` explains it", change.rule)
    }));
    advice.extend(comparison.results.as_ref().and_then(results::time_was_over));
    for note in comparison::notes(comparison) {
        if !advice.contains(&note) && !important.contains(&note) {
            advice.push(note);
        }
    }
    let more = advice.len().saturating_sub(room.notes);
    points.extend(advice.into_iter().take(room.notes));
    let mut points: Vec<String> = points.iter().map(|point| cut(point, room.point)).collect();
    let more = if more > 0 { format!("{} and ", text::counted(more, "more note")) } else { String::new() };
    points.push(format!("{more}all details: add `--details`, or read comparison.md in the folder below"));
    points
}

/// What to do if the samples do not support p99.
fn too_few_samples(comparison: &Comparison) -> Option<String> {
    let of_all = |metric: &&Metric| metric.statement.is_none() && metric.name == MetricName::P99;
    let p99 = comparison.metrics.iter().find(of_all)?;
    let needed = p99.samples_needed?;
    let fewest = p99.before_samples.min(p99.after_samples);
    let judged = p99.before.is_some() && p99.after.is_some();
    let flag = if comparison.run.is_some() { "longer blocks, such as `--block 10s`" } else { "longer (`--duration`)" };
    let clients = "or with more clients";
    if !judged {
        let (fewest, needed) = (text::count(fewest), text::count(needed));
        return Some(format!("p99 needs {needed} samples a side, and there are {fewest}: measure {flag}, {clients}"));
    }
    let reason = p99.reason.as_ref().filter(|_| p99.ci_low.is_none())?;
    Some(format!("p99 has no interval ({reason}): measure {flag}, {clients}"))
}

/// Text on one line, its end cut off where it is wider than `most` columns.
fn cut(text: &str, most: usize) -> String {
    let text = clean(text);
    if columns(&text) <= most {
        return text;
    }
    let (begin, _) = super::columns::split(&text, most.saturating_sub(3));
    format!("{}...", begin.trim_end())
}

#[cfg(test)]
mod tests;
