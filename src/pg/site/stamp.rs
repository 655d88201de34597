//! Which dataset and which state of the fix there is, as one value: two that are equal mean that nobody has changed either.

use super::{catalog::qualified, fix};
use crate::pg::link::{
    Client,
    error::{Error, Result},
};

/// What there is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// A dataset that is made again has another schema.
    schema: Option<u32>,
    /// The ledger's last row, as text.
    fix: Option<String>,
}

/// What differs between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// The dataset was made again.
    Dataset,
    /// The fix was applied or reverted, or both.
    Fix,
}

impl Stamp {
    /// Of now.
    ///
    /// # Errors
    /// The server cannot be asked.
    pub async fn take(client: &Client, schema: &str) -> Result<Self> {
        let failed = |cause| Error::from_server(format!("cannot look at the state of schema {schema}"), cause);
        let ledger = qualified(schema, fix::LEDGER);
        let there = "SELECT (SELECT oid FROM pg_namespace WHERE nspname = $1), to_regclass($2) IS NOT NULL";
        let there = client.query_one(there, &[&schema, &ledger]).await.map_err(failed)?;
        let fix = match there.get(1) {
            true => {
                let last = format!(
                    "SELECT concat_ws(' ', id, direction, statements_done, finished_at) FROM {ledger} ORDER BY id DESC LIMIT 1"
                );
                client.query_opt(&last, &[]).await.map_err(failed)?.map(|row| row.get(0))
            }
            false => None,
        };
        Ok(Self { schema: there.get(0), fix })
    }

    /// What has changed until `later`.
    pub fn changed(&self, later: &Self) -> Option<Changed> {
        match () {
            () if self.schema != later.schema => Some(Changed::Dataset),
            () if self.fix != later.fix => Some(Changed::Fix),
            () => None,
        }
    }
}
