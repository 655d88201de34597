//! The ledger of a scenario's fix: one row for each time it was applied or reverted.
//!
//! A row is written before the first statement and completed after the last, so a row without an end tells that a run
//! did not finish, and how far it came.

use super::{Direction, fingerprint::Fingerprint, sha256, sha256_of};
use crate::{
    pg::{
        link::{
            Client, Fault,
            error::{Error, Result},
        },
        site::catalog::qualified,
    },
    scenario::Scenario,
};

/// Name of the table.
pub(crate) const TABLE: &str = "_latclinic_fix";

/// The last row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) direction: Direction,
    pub(crate) finished: bool,
    /// Statements that are done.
    pub(crate) done: usize,
    /// Statements there are.
    pub(crate) statements: usize,
    pub(crate) up_sha256: String,
    pub(crate) down_sha256: String,
    /// The way back as it was when the fix was applied.
    pub(crate) down: Vec<String>,
    /// The schema before the fix was applied; `None` where an earlier build wrote the row.
    pub(crate) catalog: Option<Fingerprint>,
}

impl Entry {
    /// Whether the scenario's files are not those that were applied.
    pub(crate) fn differs_from(&self, scenario: &Scenario) -> bool {
        self.up_sha256 != sha256(&scenario.fix.up) || self.down_sha256 != sha256(&scenario.fix.down)
    }

    /// Whether its way back is that of the scenario's file.
    pub(crate) fn goes_back_as(&self, scenario: &Scenario) -> bool {
        scenario.fix.down.statements.iter().map(|statement| &statement.text).eq(&self.down)
    }

    /// Whether its way back is the one that was kept when the fix was applied.
    pub(crate) fn is_intact(&self) -> bool {
        sha256_of(&self.down) == self.down_sha256
    }
}

/// What begins.
pub(crate) enum Begins<'a> {
    /// Applying the fix to a schema that looks so.
    Up(Fingerprint),
    /// Taking back what this row says.
    Down(&'a Entry),
}

/// The ledger of one scenario.
pub(crate) struct Ledger<'a> {
    client: &'a Client,
    table: String,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(client: &'a Client, scenario: &Scenario) -> Self {
        Self { client, table: qualified(&scenario.schema_name(), TABLE) }
    }

    /// The last row, if there is one.
    pub(crate) async fn last(&self) -> Result<Option<Entry>> {
        let there = self.client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&self.table]).await;
        if !there.map_err(|cause| self.unreadable(cause))?.get::<_, bool>(0) {
            return Ok(None);
        }
        let query = format!(
            // As JSON, since ledgers of earlier builds lack the column.
            "SELECT id, direction, finished_at IS NOT NULL, statements_done, statements, up_sha256, down_sha256, down, \
             to_jsonb(ledger) -> 'catalog' FROM {} ledger ORDER BY id DESC LIMIT 1",
            self.table
        );
        let row = self.client.query_opt(&query, &[]).await.map_err(|cause| self.unreadable(cause))?;
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        Ok(row.map(|row| Entry {
            id: row.get(0),
            direction: if row.get::<_, &str>(1) == "up" { Direction::Up } else { Direction::Down },
            finished: row.get(2),
            done: count(row.get(3)),
            statements: count(row.get(4)),
            up_sha256: row.get(5),
            down_sha256: row.get(6),
            down: row.get(7),
            catalog: Fingerprint::from_json(row.get(8)),
        }))
    }

    /// Writes the row of a run that begins: of one that applies the scenario's fix to a schema that looks like `catalog`, or
    /// of one that takes back what `applied` says.
    pub(crate) async fn begin(&self, scenario: &Scenario, begins: Begins<'_>) -> Result<Entry> {
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {0} (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                direction text NOT NULL CHECK (direction IN ('up', 'down')),
                title text NOT NULL,
                up_sha256 text NOT NULL,
                down_sha256 text NOT NULL,
                down text[] NOT NULL,
                statements integer NOT NULL,
                statements_done integer NOT NULL DEFAULT 0,
                started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                finished_at timestamptz,
                duration_ms double precision
            );
            ALTER TABLE {0} ADD COLUMN IF NOT EXISTS catalog jsonb;
            ALTER TABLE {0} ADD COLUMN IF NOT EXISTS catalog_sha256 text",
            self.table
        );
        self.client.batch_execute(&create).await.map_err(|cause| self.unwritable(cause))?;
        let fix = &scenario.fix;
        let mut entry = match begins {
            Begins::Up(catalog) => Entry {
                id: 0,
                direction: Direction::Up,
                finished: false,
                done: 0,
                statements: fix.up.statements.len(),
                up_sha256: sha256(&fix.up),
                down_sha256: sha256(&fix.down),
                down: fix.down.statements.iter().map(|statement| statement.text.clone()).collect(),
                catalog: Some(catalog),
            },
            Begins::Down(applied) => Entry {
                direction: Direction::Down,
                finished: false,
                done: 0,
                statements: applied.down.len(),
                ..applied.clone()
            },
        };
        let insert = format!(
            "INSERT INTO {} (direction, title, up_sha256, down_sha256, down, statements, catalog, catalog_sha256) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
            self.table
        );
        let row = self
            .client
            .query_one(
                &insert,
                &[
                    &entry.direction.as_str(),
                    &fix.title,
                    &entry.up_sha256,
                    &entry.down_sha256,
                    &entry.down,
                    &i32::try_from(entry.statements).unwrap_or(i32::MAX),
                    &entry.catalog.as_ref().map(Fingerprint::to_json),
                    &entry.catalog.as_ref().map(Fingerprint::sha256),
                ],
            )
            .await
            .map_err(|cause| self.unwritable(cause))?;
        entry.id = row.get(0);
        Ok(entry)
    }

    /// One more statement is done.
    pub(crate) async fn advance(&self, entry: &mut Entry) -> Result<()> {
        entry.done += 1;
        self.change(entry, "UPDATE % SET statements_done = statements_done + 1 WHERE id = $1").await
    }

    /// All statements are done and checked.
    pub(crate) async fn finish(&self, entry: &mut Entry) -> Result<()> {
        entry.finished = true;
        self.change(
            entry,
            "UPDATE % SET finished_at = clock_timestamp(), \
             duration_ms = extract(epoch FROM clock_timestamp() - started_at) * 1000 WHERE id = $1",
        )
        .await
    }

    /// The run left nothing behind.
    pub(crate) async fn forget(&self, entry: &Entry) -> Result<()> {
        self.change(entry, "DELETE FROM % WHERE id = $1").await
    }

    async fn change(&self, entry: &Entry, sql: &str) -> Result<()> {
        let sql = sql.replace('%', &self.table);
        self.client.execute(&sql, &[&entry.id]).await.map(drop).map_err(|cause| self.unwritable(cause))
    }

    fn unreadable(&self, cause: Fault) -> Error {
        Error::from_server(format!("cannot read the ledger {}", self.table), cause)
    }

    fn unwritable(&self, cause: Fault) -> Error {
        Error::from_server(format!("cannot write the ledger {}", self.table), cause)
    }
}
