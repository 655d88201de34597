//! What the server counted, as far as it bears on the latency.

use super::super::document::{Block, Table, clean};
use crate::{
    record::{CheckpointActivity, DatabaseActivity, ServerActivity, StatementActivity, TableActivity},
    text,
};

/// Statements that are shown.
const SHOWN: usize = 3;

/// Characters of a statement that are shown.
const CLIPPED: usize = 34;

/// A short table, the costliest statements, and what could not be read. `operations` is those of the window.
pub(super) fn activity(activity: &ServerActivity, operations: u64) -> Vec<Block> {
    let mut table = Table::of_figures(&["server", "value"]);
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row([name.to_owned(), value]);
        }
    };
    if let Some(database) = &activity.database {
        row("found in the cache", found_in_cache(database));
        row("buffers read from outside it", database.buffers_read.map(text::count));
        row("time spent reading them", database.read_ms.map(text::milliseconds));
        row("temporary files", above_zero(database.temp_bytes).map(text::bytes));
        row("deadlocks", above_zero(database.deadlocks).map(text::count));
    }
    if let Some(wal) = &activity.wal {
        row("WAL an operation", wal.bytes.filter(|_| operations > 0).map(|bytes| text::bytes(bytes / operations)));
    }
    row("checkpoints", activity.checkpoints.as_ref().and_then(checkpoints));
    for table in activity.tables.iter().flatten() {
        row(&format!("heap-only updates of {}", table.name), hot_updates(table));
        row(&format!("autovacuum of {}", table.name), autovacuum(table));
    }
    let mut blocks = Vec::new();
    if !table.rows.is_empty() {
        blocks.push(Block::Table(table));
    }
    let statements = activity.statements.as_deref().unwrap_or_default();
    if !statements.is_empty() {
        blocks.push(Block::Table(costliest(statements)));
    }
    if !activity.notes.is_empty() {
        blocks.push(Block::List(activity.notes.clone()));
    }
    blocks
}

fn above_zero(count: Option<u64>) -> Option<u64> {
    count.filter(|count| *count > 0)
}

fn found_in_cache(database: &DatabaseActivity) -> Option<String> {
    let (hit, read) = (database.buffers_hit?, database.buffers_read?);
    let touched = hit.saturating_add(read);
    (touched > 0).then(|| {
        // What was read is never rounded away.
        let share = hit as f64 / touched as f64;
        let text = if read > 0 && share > 0.9995 { "above 99.9 %".into() } else { text::share(share) };
        format!("{text} of {} buffers", text::count(touched))
    })
}

fn checkpoints(checkpoints: &CheckpointActivity) -> Option<String> {
    let begun = checkpoints.timed?.saturating_add(checkpoints.requested?);
    Some(match (begun, checkpoints.buffers_written.unwrap_or(0)) {
        (0, 0) => "none".into(),
        (begun, 0) => text::count(begun),
        (begun, written) => format!("{}, {} buffers written", text::count(begun), text::count(written)),
    })
}

fn hot_updates(table: &TableActivity) -> Option<String> {
    let updated = above_zero(table.rows_updated)?;
    Some(format!("{} of {}", text::count(table.rows_hot_updated?), text::count(updated)))
}

fn autovacuum(table: &TableActivity) -> Option<String> {
    match (table.autovacuums?, table.autoanalyzes?) {
        (0, 0) => None,
        (vacuums, analyzes) => Some(format!("{} vacuums, {} analyzes", text::count(vacuums), text::count(analyzes))),
    }
}

fn costliest(statements: &[StatementActivity]) -> Table {
    let mut table = Table::of_figures(&["costliest statements", "calls", "in all", "each", "rows each"]);
    for statement in statements.iter().take(SHOWN) {
        let rows = |rows: u64| format!("{:.1}", rows as f64 / statement.calls.max(1) as f64);
        table.row([
            clipped(&statement.query),
            text::count(statement.calls),
            text::milliseconds(statement.total_ms),
            text::milliseconds(statement.mean_ms),
            statement.rows.map_or_else(|| text::NOTHING.into(), rows),
        ]);
    }
    table
}

/// The beginning of a text, on one line.
fn clipped(text: &str) -> String {
    let line = clean(text);
    if line.chars().count() <= CLIPPED {
        return line;
    }
    line.chars().take(CLIPPED - 1).chain(['…']).collect()
}
