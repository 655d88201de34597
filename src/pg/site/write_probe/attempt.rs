//! One attempt at a probe, inside a transaction that its caller takes back.

use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio_postgres::{Row, Statement};

use super::target::Target;
use crate::{
    draw,
    pg::link::{error::server_words, parameter::Parameter, user_session::UserSession},
    record::{Operation, WriteCost, WriteProbe},
};

/// Rows that each operation is measured on.
const ROWS: u64 = 200;
/// Rows before them that are not measured.
const WARM_UP: u64 = 10;
/// How long the measurement may take, and the rehearsal half of it; what was measured until then counts.
const PATIENCE: Duration = Duration::from_millis(700);

/// A write that the table does not take.
pub(crate) struct Refused {
    pub(crate) operation: Operation,
    /// Of an update: the place of the column among those that are updated.
    pub(crate) column: usize,
    pub(crate) words: String,
}

type Result<T> = std::result::Result<T, Refused>;

/// Times and WAL bytes by group: a group for each column that is updated, else one.
struct Costs {
    ms: Vec<Vec<f64>>,
    wal_bytes: Vec<Vec<f64>>,
}

/// What each operation costs.
struct Figures {
    insert: Costs,
    update: Costs,
    delete: Costs,
}

/// Updates that the session counted.
#[derive(Clone, Copy)]
struct Updates {
    all: i64,
    heap_only: i64,
}

/// An attempt.
pub(crate) struct Attempt<'a> {
    session: &'a UserSession,
    target: &'a Target,
    /// The next row to make.
    next: u64,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(session: &'a UserSession, target: &'a Target) -> Self {
        Self { session, target, next: 0 }
    }

    /// Measures after a rehearsal, which is taken back: the same turns, so that the pages which they write to are in the cache and their
    /// images in the WAL. What the first write to a page after a checkpoint costs belongs to the checkpoint, not to the row.
    pub(crate) async fn run(mut self, probe: &mut WriteProbe) -> Result<()> {
        self.control("SAVEPOINT rehearsal").await?;
        self.turns(PATIENCE / 2).await?;
        // Here, because the way back to the savepoint also makes good what a query that fails does to the transaction.
        let rehearsed = self.updates().await;
        self.control("ROLLBACK TO SAVEPOINT rehearsal; RELEASE SAVEPOINT rehearsal").await?;
        self.next = 0;
        let figures = self.turns(PATIENCE).await?;
        let counted = match rehearsed {
            Ok(rehearsed) => self.updates().await.map(|all| all.share_of_heap_only_since(rehearsed)),
            Err(words) => Err(words),
        };
        match counted {
            Ok(ratio) => probe.hot_ratio = ratio,
            Err(words) => probe.notes.push(format!("the share of heap-only updates was not measured: {words}")),
        }
        (probe.insert, probe.update, probe.delete) =
            (figures.insert.cost(), figures.update.cost(), figures.delete.cost());
        Ok(())
    }

    /// One insert, one update and one delete after the other, each of a row of its own that was inserted right before, so that an
    /// update finds room on its page. The server's own figures of each execution are taken: the way to it and back takes longer
    /// than a write, and varies more.
    async fn turns(&mut self, patience: Duration) -> Result<Figures> {
        let updates = Costs::new(self.target.updated.len());
        let mut figures = Figures { insert: Costs::new(1), update: updates, delete: Costs::new(1) };
        let begun = Instant::now();
        for turn in 0..WARM_UP + ROWS {
            if begun.elapsed() > patience {
                break;
            }
            let counts = turn >= WARM_UP;
            let values = self.next_row()?.1;
            let plan = self.send(&self.target.insert.explained, &values, Operation::Insert, 0).await?;
            figures.insert.add(0, &plan, counts);
            if !self.target.updated.is_empty() {
                let column = turn as usize % self.target.updated.len();
                let (row, mut found) = self.insert().await?;
                let value = self.target.other_value(&self.target.updated[column], row);
                found.insert(0, value.map_err(|error| unmade(Operation::Update, column, &error))?);
                let update = &self.target.updated[column].statement;
                let plan = self.send(update, &found, Operation::Update, column).await?;
                figures.update.add(column, &plan, counts);
            }
            if self.target.deletes {
                let (_, found) = self.insert().await?;
                let plan = self.send(&self.target.delete, &found, Operation::Delete, 0).await?;
                figures.delete.add(0, &plan, counts);
            }
        }
        Ok(figures)
    }

    async fn control(&self, sql: &str) -> Result<()> {
        let refused = |cause| Refused { operation: Operation::Insert, column: 0, words: server_words(&cause) };
        self.session.run(sql).await.map_err(refused)
    }

    /// The number and the values of the next row.
    fn next_row(&mut self) -> Result<(u64, Vec<Parameter>)> {
        let row = self.next;
        self.next += 1;
        Ok((row, self.target.row(row).map_err(|error| unmade(Operation::Insert, 0, &error))?))
    }

    /// Inserts the next row: its number and what finds it.
    async fn insert(&mut self) -> Result<(u64, Vec<Parameter>)> {
        let (row, values) = self.next_row()?;
        let returned = self.send(&self.target.insert.returning, &values, Operation::Insert, 0).await?;
        let [found] = returned.as_slice() else {
            let words = "a trigger or a rule turns it away".to_owned();
            return Err(Refused { operation: Operation::Insert, column: 0, words });
        };
        Ok((row, (0..found.len()).map(|column| Parameter::text(found.get(column))).collect()))
    }

    async fn send(
        &self,
        statement: &Statement,
        values: &[Parameter],
        operation: Operation,
        column: usize,
    ) -> Result<Vec<Row>> {
        let rows = self.session.query_raw(statement, values).await;
        rows.map_err(|cause| Refused { operation, column, words: server_words(&cause) })
    }

    /// The updates of the table and its partitions that the session counted and has not reported yet, those that were taken back
    /// included; else why they are not known.
    async fn updates(&self) -> std::result::Result<Updates, String> {
        let query = "SELECT coalesce(pg_catalog.sum(n_tup_upd), 0)::pg_catalog.int8, \
                 coalesce(pg_catalog.sum(n_tup_hot_upd), 0)::pg_catalog.int8 \
             FROM pg_catalog.pg_stat_xact_user_tables \
             WHERE relid OPERATOR(pg_catalog.=) $1::pg_catalog.oid \
                 OR relid OPERATOR(pg_catalog.=) ANY (SELECT tree.relid FROM pg_catalog.pg_partition_tree($1) tree)";
        let rows = self.session.ask(query, &[&self.target.oid]).await.map_err(|cause| server_words(&cause))?;
        let row = rows.first().ok_or("the server counted none")?;
        Ok(Updates { all: row.get(0), heap_only: row.get(1) })
    }
}

/// A value that could not be made.
fn unmade(operation: Operation, column: usize, error: &draw::Error) -> Refused {
    Refused { operation, column, words: error.to_string() }
}

impl Updates {
    /// 0 to 1; `None` without an update since.
    fn share_of_heap_only_since(self, earlier: Self) -> Option<f64> {
        let (all, heap_only) = (self.all - earlier.all, self.heap_only - earlier.heap_only);
        (all > 0).then(|| heap_only as f64 / all as f64)
    }
}

impl Costs {
    fn new(groups: usize) -> Self {
        Self { ms: vec![Vec::new(); groups], wal_bytes: vec![Vec::new(); groups] }
    }

    /// Adds what EXPLAIN says of one execution, if it counts: its time with its triggers, and what the statement itself wrote to
    /// the WAL.
    fn add(&mut self, group: usize, plan: &[Row], counts: bool) {
        let Some(json) = plan.first().filter(|_| counts).map(|row| row.get::<_, Json>(0)) else { return };
        let figure = |path| json.pointer(path).and_then(Json::as_f64);
        self.ms[group].extend(figure("/0/Execution Time"));
        self.wal_bytes[group].extend(figure("/0/Plan/WAL Bytes"));
    }

    fn cost(self) -> Option<WriteCost> {
        let rows: usize = self.ms.iter().map(Vec::len).sum();
        Some(WriteCost {
            ms: middle(self.ms)?,
            wal_bytes: middle(self.wal_bytes),
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
        })
    }
}

/// The mean over the groups of the mean of the middle half of each: stalls do not count, groups that differ all do, and it is finer
/// than the microseconds that it is made of, which a median is not. `None` where none has values.
fn middle(groups: Vec<Vec<f64>>) -> Option<f64> {
    let means: Vec<f64> = groups.into_iter().filter(|group| !group.is_empty()).map(middle_half).collect();
    mean(&means)
}

/// The mean without the lowest and the highest quarter.
fn middle_half(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 4;
    mean(&values[cut..values.len() - cut]).unwrap_or(f64::NAN)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_does_not_count_and_each_group_does() {
        let groups = vec![vec![1.0, 900.0, 1.0, 1.0], vec![], vec![3.0, 2.0, 4.0, 900.0]];
        assert_eq!(middle(groups), Some((1.0 + 3.5) / 2.0));
        assert_eq!(middle(vec![vec![]]), None);
    }
}
