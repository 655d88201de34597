//! The difference of two readings.

use serde_json::Value;

use super::reading::{Counters, Part, Reading};
use crate::record::{
    CheckpointActivity, DatabaseActivity, IndexActivity, IoActivity, ServerActivity, TableActivity, WalActivity,
};

/// A counter that went backwards.
#[derive(Debug, PartialEq)]
pub(crate) struct Reset;

/// A row of a view at the begin and at the end; what was not there at the begin began at zero.
pub(crate) struct Change<'a> {
    pub(crate) begin: Option<&'a Counters>,
    pub(crate) end: &'a Counters,
}

impl Change<'_> {
    /// How far a counter went; `None` where there is no such counter.
    pub(crate) fn count(&self, name: &str) -> Result<Option<u64>, Reset> {
        let Some(end) = self.end.get(name).and_then(Value::as_u64) else { return Ok(None) };
        let begin = self.begin.and_then(|begin| begin.get(name)?.as_u64()).unwrap_or(0);
        end.checked_sub(begin).map(Some).ok_or(Reset)
    }

    /// How far a counter with a fraction went.
    pub(crate) fn amount(&self, name: &str) -> Result<Option<f64>, Reset> {
        let Some(end) = self.end.get(name).and_then(Value::as_f64) else { return Ok(None) };
        let begin = self.begin.and_then(|begin| begin.get(name)?.as_f64()).unwrap_or(0.0);
        if end >= begin { Ok(Some(end - begin)) } else { Err(Reset) }
    }

    /// What stands at the end.
    fn now(&self, name: &str) -> Option<u64> {
        self.end.get(name)?.as_u64()
    }

    fn text(&self, name: &str) -> String {
        self.end.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn moment(&self, name: &str) -> Option<jiff::Timestamp> {
        self.end.get(name)?.as_str()?.parse().ok()
    }

    /// Whether somebody reset the counters.
    fn was_reset(&self) -> bool {
        self.begin.is_some_and(|begin| begin.get("stats_reset") != self.end.get("stats_reset"))
    }
}

/// What changed between two readings, `pg_stat_statements` apart. What cannot be told is noted.
pub(crate) fn between(begin: &Reading, end: &Reading, notes: &mut Vec<String>) -> ServerActivity {
    let mut activity = ServerActivity { length_s: Some(end.at - begin.at), ..ServerActivity::default() };
    if restarted_from_nothing(begin, end) {
        notes.push(
            "all of the server's statistics were reset inside the window, as they are when it crashes".to_owned(),
        );
        return activity;
    }
    let times_io = begin.times_io && end.times_io;
    // Resetting a database's statistics resets those of its tables, which do not say so themselves.
    let database_reset =
        changes(&begin.database, &end.database).is_ok_and(|changes| changes.iter().any(Change::was_reset));
    let mut tell = Tell { notes, database_reset };
    activity.database = tell.one("pg_stat_database", &begin.database, &end.database, |row| database(row, times_io));
    activity.tables = tell.all("pg_stat_user_tables", &begin.tables, &end.tables, table).map(|mut tables| {
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        tables
    });
    activity.indexes = tell.all("pg_stat_user_indexes", &begin.indexes, &end.indexes, index).map(|mut indexes| {
        indexes.sort_by(|one, other| one.name.cmp(&other.name));
        indexes
    });
    activity.wal = tell.one("pg_stat_wal", &begin.wal, &end.wal, wal);
    activity.checkpoints = checkpoints(&mut tell, begin, end);
    activity.io = tell.all("pg_stat_io", &begin.io, &end.io, io).map(|mut kinds| {
        kinds.retain(|kind| {
            let counts = [kind.reads, kind.writes, kind.extends, kind.hits, kind.evictions, kind.fsyncs];
            counts.into_iter().flatten().any(|count| count > 0)
        });
        kinds
    });
    activity
}

/// A crash resets the views that no one resets together.
fn restarted_from_nothing(begin: &Reading, end: &Reading) -> bool {
    let was_reset = |begin, end| changes(begin, end).is_ok_and(|changes| changes.iter().any(Change::was_reset));
    was_reset(&begin.archiver, &end.archiver) && was_reset(&begin.bgwriter, &end.bgwriter)
}

/// Pairs the rows of both readings; those that are gone at the end are left out.
pub(crate) fn changes<'a>(begin: &'a Part, end: &'a Part) -> Result<Vec<Change<'a>>, &'a str> {
    let begin = begin.as_ref().map_err(String::as_str)?.as_ref();
    let end = end.as_ref().map_err(String::as_str)?.iter().flatten();
    Ok(end.map(|(id, end)| Change { begin: begin.and_then(|rows| rows.get(id)), end }).collect())
}

/// Tells changes, and notes what cannot be told.
struct Tell<'a> {
    notes: &'a mut Vec<String>,
    database_reset: bool,
}

impl Tell<'_> {
    /// Each row of a view. `None` where the server has no such view.
    fn all<T>(
        &mut self,
        view: &str,
        begin: &Part,
        end: &Part,
        read: impl Fn(&Change<'_>) -> Result<T, Reset>,
    ) -> Option<Vec<T>> {
        if let (Ok(None), _) | (_, Ok(None)) = (begin, end) {
            return None;
        }
        let found = changes(begin, end).map_err(str::to_owned).and_then(|changes| {
            let of_database = view.starts_with("pg_stat_user") && self.database_reset;
            let reset = of_database || changes.iter().any(Change::was_reset);
            let read = if reset { Err(Reset) } else { changes.iter().map(read).collect() };
            read.map_err(|Reset| format!("{view} was reset inside the window"))
        });
        found.map_err(|note| self.notes.push(note)).ok()
    }

    /// The one row of a view.
    fn one<T>(
        &mut self,
        view: &str,
        begin: &Part,
        end: &Part,
        read: impl Fn(&Change<'_>) -> Result<T, Reset>,
    ) -> Option<T> {
        self.all(view, begin, end, read)?.pop()
    }
}

fn database(row: &Change<'_>, times_io: bool) -> Result<DatabaseActivity, Reset> {
    Ok(DatabaseActivity {
        commits: row.count("xact_commit")?,
        rollbacks: row.count("xact_rollback")?,
        buffers_hit: row.count("blks_hit")?,
        buffers_read: row.count("blks_read")?,
        read_ms: if times_io { row.amount("blk_read_time")? } else { None },
        rows_returned: row.count("tup_returned")?,
        rows_fetched: row.count("tup_fetched")?,
        rows_inserted: row.count("tup_inserted")?,
        rows_updated: row.count("tup_updated")?,
        rows_deleted: row.count("tup_deleted")?,
        temp_files: row.count("temp_files")?,
        temp_bytes: row.count("temp_bytes")?,
        deadlocks: row.count("deadlocks")?,
    })
}

fn table(row: &Change<'_>) -> Result<TableActivity, Reset> {
    Ok(TableActivity {
        name: row.text("relname"),
        sequential_scans: row.count("seq_scan")?,
        sequential_rows: row.count("seq_tup_read")?,
        index_scans: row.count("idx_scan")?,
        index_rows: row.count("idx_tup_fetch")?,
        rows_inserted: row.count("n_tup_ins")?,
        rows_updated: row.count("n_tup_upd")?,
        rows_hot_updated: row.count("n_tup_hot_upd")?,
        rows_deleted: row.count("n_tup_del")?,
        dead_rows: row.now("n_dead_tup"),
        autovacuums: row.count("autovacuum_count")?,
        autoanalyzes: row.count("autoanalyze_count")?,
        last_autovacuum: row.moment("last_autovacuum"),
        last_autoanalyze: row.moment("last_autoanalyze"),
        heap_hit: row.count("heap_blks_hit")?,
        heap_read: row.count("heap_blks_read")?,
        index_hit: row.count("idx_blks_hit")?,
        index_read: row.count("idx_blks_read")?,
        toast_hit: row.count("toast_blks_hit")?,
        toast_read: row.count("toast_blks_read")?,
    })
}

fn index(row: &Change<'_>) -> Result<IndexActivity, Reset> {
    Ok(IndexActivity {
        name: row.text("indexrelname"),
        table: row.text("relname"),
        scans: row.count("idx_scan")?,
        entries_read: row.count("idx_tup_read")?,
        buffers_hit: row.count("idx_blks_hit")?,
        buffers_read: row.count("idx_blks_read")?,
    })
}

fn wal(row: &Change<'_>) -> Result<WalActivity, Reset> {
    Ok(WalActivity {
        records: row.count("wal_records")?,
        full_page_images: row.count("wal_fpi")?,
        bytes: row.count("wal_bytes")?,
        buffers_full: row.count("wal_buffers_full")?,
    })
}

/// PostgreSQL 17 took the checkpoints out of `pg_stat_bgwriter` and renamed them.
fn checkpoints(tell: &mut Tell<'_>, begin: &Reading, end: &Reading) -> Option<CheckpointActivity> {
    let of_bgwriter = |row: &Change<'_>| {
        Ok(CheckpointActivity {
            timed: row.count("checkpoints_timed")?,
            requested: row.count("checkpoints_req")?,
            write_ms: row.amount("checkpoint_write_time")?,
            sync_ms: row.amount("checkpoint_sync_time")?,
            buffers_written: row.count("buffers_checkpoint")?,
            buffers_cleaned: row.count("buffers_clean")?,
            buffers_allocated: row.count("buffers_alloc")?,
        })
    };
    let writer = tell.one("pg_stat_bgwriter", &begin.bgwriter, &end.bgwriter, of_bgwriter)?;
    if let Ok(None) = end.checkpointer {
        return Some(writer);
    }
    tell.one("pg_stat_checkpointer", &begin.checkpointer, &end.checkpointer, |row| {
        Ok(CheckpointActivity {
            timed: row.count("num_timed")?,
            requested: row.count("num_requested")?,
            write_ms: row.amount("write_time")?,
            sync_ms: row.amount("sync_time")?,
            buffers_written: row.count("buffers_written")?,
            ..writer.clone()
        })
    })
}

fn io(row: &Change<'_>) -> Result<IoActivity, Reset> {
    Ok(IoActivity {
        backend_type: row.text("backend_type"),
        reads: row.count("reads")?,
        writes: row.count("writes")?,
        extends: row.count("extends")?,
        hits: row.count("hits")?,
        evictions: row.count("evictions")?,
        fsyncs: row.count("fsyncs")?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn part(row: Value) -> Part {
        let Value::Object(counters) = row else { panic!("a row") };
        Ok(Some(BTreeMap::from([(String::new(), counters)])))
    }

    fn reading(at: f64, database: Value) -> Reading {
        Reading {
            at,
            times_io: false,
            database: part(database),
            tables: Ok(Some(BTreeMap::new())),
            indexes: Ok(Some(BTreeMap::new())),
            wal: Ok(None),
            archiver: part(json!({ "stats_reset": "a" })),
            bgwriter: part(json!({ "stats_reset": "a", "buffers_clean": 1, "buffers_alloc": 5 })),
            checkpointer: Ok(None),
            io: Ok(None),
            statements: Ok(None),
        }
    }

    fn told(begin: &Reading, end: &Reading) -> (ServerActivity, Vec<String>) {
        let mut notes = Vec::new();
        (between(begin, end, &mut notes), notes)
    }

    #[test]
    fn counters_go_from_begin_to_end_and_what_a_version_lacks_is_null() {
        let begin = reading(100.0, json!({ "xact_commit": 5, "blks_hit": 100, "blk_read_time": 0.0 }));
        let end = reading(130.5, json!({ "xact_commit": 12, "blks_hit": 100, "blk_read_time": 0.0 }));
        let (activity, notes) = told(&begin, &end);
        let database = activity.database.unwrap();
        assert_eq!((database.commits, database.buffers_hit, database.deadlocks), (Some(7), Some(0), None));
        assert_eq!((database.read_ms, activity.length_s), (None, Some(30.5)));
        assert_eq!((activity.wal, activity.tables.as_deref()), (None, Some(&[][..])));
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn a_counter_that_went_backwards_is_no_figure_but_a_note() {
        let (activity, notes) =
            told(&reading(0.0, json!({ "xact_commit": 500 })), &reading(1.0, json!({ "xact_commit": 3 })));
        assert_eq!(activity.database, None);
        assert_eq!(notes, ["pg_stat_database was reset inside the window"]);
    }

    #[test]
    fn a_reset_is_seen_even_when_the_counter_has_passed_its_old_value() {
        let begin = reading(0.0, json!({ "xact_commit": 5, "stats_reset": null }));
        let end = reading(1.0, json!({ "xact_commit": 9, "stats_reset": "2026-11-21T00:00:00+00:00" }));
        let (activity, notes) = told(&begin, &end);
        assert_eq!((activity.database, activity.tables), (None, None));
        assert_eq!(
            notes,
            [
                "pg_stat_database was reset inside the window",
                "pg_stat_user_tables was reset inside the window",
                "pg_stat_user_indexes was reset inside the window"
            ]
        );
        assert!(activity.checkpoints.is_some(), "the server's own counters are not the database's");
    }

    #[test]
    fn a_crash_leaves_nothing_to_tell() {
        let begin = reading(0.0, json!({ "xact_commit": 5 }));
        let mut end = reading(1.0, json!({ "xact_commit": 9 }));
        end.archiver = part(json!({ "stats_reset": "b" }));
        end.bgwriter = part(json!({ "stats_reset": "b" }));
        let (activity, notes) = told(&begin, &end);
        assert_eq!(activity, ServerActivity { length_s: Some(1.0), ..ServerActivity::default() });
        assert_eq!(notes.len(), 1, "{notes:?}");
    }

    #[test]
    fn checkpoints_are_found_where_the_version_has_them() {
        let mut begin = reading(0.0, json!({}));
        let mut end = reading(1.0, json!({}));
        begin.bgwriter = part(json!({ "checkpoints_timed": 1, "checkpoint_write_time": 10.0, "buffers_alloc": 0 }));
        end.bgwriter = part(json!({ "checkpoints_timed": 3, "checkpoint_write_time": 10.5, "buffers_alloc": 4 }));
        let before_17 = told(&begin, &end).0.checkpoints.unwrap();
        assert_eq!((before_17.timed, before_17.write_ms, before_17.buffers_allocated), (Some(2), Some(0.5), Some(4)));
        begin.bgwriter = part(json!({ "buffers_alloc": 0 }));
        end.bgwriter = part(json!({ "buffers_alloc": 4 }));
        begin.checkpointer = part(json!({ "num_timed": 1, "write_time": 10.0 }));
        end.checkpointer = part(json!({ "num_timed": 3, "write_time": 10.5 }));
        assert_eq!(told(&begin, &end).0.checkpoints.unwrap(), before_17);
    }

    #[test]
    fn what_cannot_be_read_is_noted_with_its_reason() {
        let mut end = reading(1.0, json!({}));
        end.wal = Err("cannot read pg_stat_wal: permission denied".to_owned());
        let mut begin = reading(0.0, json!({}));
        begin.wal = Ok(Some(BTreeMap::new()));
        let (activity, notes) = told(&begin, &end);
        assert_eq!(activity.wal, None);
        assert_eq!(notes, ["cannot read pg_stat_wal: permission denied"]);
    }
}
