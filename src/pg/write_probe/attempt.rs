//! One attempt at a probe, inside a transaction that its caller takes back.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use serde_json::Value as Json;
use tokio_postgres::{Client, Row, Statement};

use super::target::Target;
use crate::{
    draw::Scratch,
    pg::{
        error::server_words,
        parameter::{Parameter, Raw},
    },
    record::{Operation, WriteCost, WriteProbe},
};

/// Rows that are timed.
const ROWS: u64 = 200;
/// Rows before them that are not.
const WARM_UP: u64 = 10;
/// After so many rows one of each operation is explained.
const EXPLAIN_EVERY: u64 = 10;
/// How long inserts and updates may take together, and then deletes.
const PATIENCE: Duration = Duration::from_millis(500);

/// A write that the table does not take.
pub(super) struct Refused {
    pub(super) operation: Operation,
    /// Of an update: the place of the column among those that are updated.
    pub(super) column: usize,
    pub(super) words: String,
}

type Result<T> = std::result::Result<T, Refused>;

/// Times and WAL bytes by group: a group for each column that is updated, else one.
struct Costs {
    ms: Vec<Vec<f64>>,
    wal_bytes: Vec<Vec<f64>>,
}

/// An attempt.
pub(super) struct Attempt<'a> {
    client: &'a Client,
    target: &'a Target,
    scratch: Scratch,
    /// The next row to make.
    next: u64,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(client: &'a Client, target: &'a Target) -> Self {
        Self { client, target, scratch: Scratch::default(), next: 0 }
    }

    /// Inserts rows and updates each at once, while its page still has room, then deletes them.
    pub(super) async fn run(mut self, probe: &mut WriteProbe) -> Result<()> {
        let (mut inserts, mut deletes) = (Costs::new(1), Costs::new(1));
        let mut updates = Costs::new(self.target.updated.len());
        for _ in 0..WARM_UP {
            let (row, found, _) = self.insert().await?;
            let found = if updates.is_empty() { found } else { self.update(row, row, found).await?.0 };
            if self.target.deletes {
                self.delete(&found).await?;
            }
        }
        let (begun, mut rows) = (Instant::now(), Vec::new());
        for number in 0..ROWS {
            if begun.elapsed() > PATIENCE {
                break;
            }
            let (row, mut found, took) = self.insert().await?;
            inserts.ms[0].push(milliseconds(took));
            if !updates.is_empty() {
                let took;
                (found, took) = self.update(row, number, found).await?;
                updates.of(number).0.push(milliseconds(took));
            }
            rows.push(found);
            if number % EXPLAIN_EVERY == 0 {
                self.explain(number / EXPLAIN_EVERY, &mut inserts, &mut updates, &mut deletes).await?;
            }
        }
        probe.hot_ratio = self.hot_ratio().await?;
        let begun = Instant::now();
        for found in rows.iter().filter(|_| self.target.deletes) {
            if begun.elapsed() > PATIENCE {
                break;
            }
            deletes.ms[0].push(milliseconds(self.delete(found).await?));
        }
        (probe.insert, probe.update, probe.delete) = (inserts.cost(), updates.cost(), deletes.cost());
        Ok(())
    }

    /// Makes and inserts the next row: its number, what finds it, and how long it took.
    async fn insert(&mut self) -> Result<(u64, Vec<Parameter>, Duration)> {
        let row = self.next;
        self.next += 1;
        let values = self.target.row(row, &mut self.scratch);
        let (found, took) = self.send(&self.target.insert.plain, &values, Operation::Insert, 0).await?;
        Ok((row, locator(&found, Operation::Insert, 0)?, took))
    }

    /// Sets the column whose turn it is to another value.
    async fn update(&mut self, row: u64, turn: u64, found: Vec<Parameter>) -> Result<(Vec<Parameter>, Duration)> {
        let column = turn as usize % self.target.updated.len();
        let values = self.update_values(row, column, found);
        let statement = &self.target.updated[column].statement.plain;
        let (found, took) = self.send(statement, &values, Operation::Update, column).await?;
        Ok((locator(&found, Operation::Update, column)?, took))
    }

    fn update_values(&mut self, row: u64, column: usize, mut found: Vec<Parameter>) -> Vec<Parameter> {
        let value = self.target.other_value(&self.target.updated[column], row, &mut self.scratch);
        found.insert(0, value);
        found
    }

    async fn delete(&self, found: &[Parameter]) -> Result<Duration> {
        Ok(self.send(&self.target.delete.plain, found, Operation::Delete, 0).await?.1)
    }

    /// Has one of each operation explained, on rows of its own.
    async fn explain(
        &mut self,
        turn: u64,
        inserts: &mut Costs,
        updates: &mut Costs,
        deletes: &mut Costs,
    ) -> Result<()> {
        let values = self.target.row(self.next, &mut self.scratch);
        self.next += 1;
        let (plan, _) = self.send(&self.target.insert.explained, &values, Operation::Insert, 0).await?;
        inserts.wal_bytes[0].extend(wal_bytes(&plan));
        if !updates.is_empty() {
            let column = turn as usize % self.target.updated.len();
            let (row, found, _) = self.insert().await?;
            let values = self.update_values(row, column, found);
            let statement = &self.target.updated[column].statement.explained;
            let (plan, _) = self.send(statement, &values, Operation::Update, column).await?;
            updates.of(turn).1.extend(wal_bytes(&plan));
        }
        if self.target.deletes {
            let (_, found, _) = self.insert().await?;
            let (plan, _) = self.send(&self.target.delete.explained, &found, Operation::Delete, 0).await?;
            deletes.wal_bytes[0].extend(wal_bytes(&plan));
        }
        Ok(())
    }

    async fn send(
        &self,
        statement: &Statement,
        values: &[Parameter],
        operation: Operation,
        column: usize,
    ) -> Result<(Vec<Row>, Duration)> {
        let sent = Instant::now();
        let work = async { self.client.query_raw(statement, values).await?.try_collect().await };
        let rows = work.await.map_err(|cause| Refused { operation, column, words: server_words(&cause) })?;
        Ok((rows, sent.elapsed()))
    }

    /// The share of heap-only ones among the updates of this transaction, of the table and its partitions.
    async fn hot_ratio(&self) -> Result<Option<f64>> {
        let query = "SELECT sum(n_tup_hot_upd)::float8 / nullif(sum(n_tup_upd), 0)::float8 FROM pg_stat_xact_user_tables, \
             (SELECT $1::text::regclass AS own) probed \
             WHERE relid = own OR relid IN (SELECT tree.relid FROM pg_partition_tree(own) tree)";
        let row = self.client.query_one(query, &[&self.target.relation]).await;
        row.map(|row| row.get(0)).map_err(|cause| {
            let words = server_words(&cause);
            Refused { operation: Operation::Insert, column: 0, words }
        })
    }
}

impl Costs {
    fn new(groups: usize) -> Self {
        Self { ms: vec![Vec::new(); groups], wal_bytes: vec![Vec::new(); groups] }
    }

    fn is_empty(&self) -> bool {
        self.ms.is_empty()
    }

    /// The group whose turn it is.
    fn of(&mut self, turn: u64) -> (&mut Vec<f64>, &mut Vec<f64>) {
        let group = turn as usize % self.ms.len();
        (&mut self.ms[group], &mut self.wal_bytes[group])
    }

    fn cost(self) -> Option<WriteCost> {
        let rows: usize = self.ms.iter().map(Vec::len).sum();
        Some(WriteCost {
            ms: mean_of_medians(self.ms)?,
            wal_bytes: mean_of_medians(self.wal_bytes),
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
        })
    }
}

/// Robust against stalls within a group, and fair to groups that differ. `None` where none has values.
fn mean_of_medians(groups: Vec<Vec<f64>>) -> Option<f64> {
    let medians: Vec<f64> = groups.into_iter().filter(|group| !group.is_empty()).map(median).collect();
    (!medians.is_empty()).then(|| medians.iter().sum::<f64>() / medians.len() as f64)
}

/// The upper one of two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What finds the row that a statement returns.
fn locator(rows: &[Row], operation: Operation, column: usize) -> Result<Vec<Parameter>> {
    let [row] = rows else {
        let words = "a trigger or a rule turns it away".to_owned();
        return Err(Refused { operation, column, words });
    };
    let values = (0..row.len()).map(|column| row.get::<_, Raw<'_>>(column));
    Ok(values.map(|value| Parameter::new(value.0.to_vec(), false)).collect())
}

/// What the explained statement itself wrote; what its triggers did is not in it.
fn wal_bytes(plan: &[Row]) -> Option<f64> {
    plan.first()?.get::<_, Json>(0).pointer("/0/Plan/WAL Bytes")?.as_f64()
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
