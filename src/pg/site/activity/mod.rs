//! What the server counts while it is measured: two readings of its statistics views and their difference.

pub(crate) mod change;
pub(crate) mod reading;
pub(crate) mod statements;

use std::time::{Duration, Instant};

use crate::pg::site::activity::reading::{OWN, Reading};
use crate::record::ServerActivity;
use crate::{
    pg::link::{Client, Limit, connector::Connector},
    sqltext::quote::quote_literal,
};

/// How long the load's connections are awaited: a backend reports what it counted at its end at the latest.
const QUIET_WITHIN: Duration = Duration::from_secs(5);

/// How long PostgreSQL 14 is awaited, whose statistics are a file that is up to half a second old.
const FRESH_WITHIN: Duration = Duration::from_secs(2);

/// How long one question may take: without the figures the record is saved all the same.
const READING: Duration = Duration::from_secs(5);

/// How often is looked; each look is a transaction more in the figures.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads the statistics views at the begin and at the end of a measured window, over a connection of its own. In between it
/// asks nothing.
///
/// Nothing here fails: what cannot be read is null in the result, with a note.
///
/// A backend reports what it counted when a transaction of its ends and a second has passed since it last did. So the reading
/// at the begin may miss up to the last second of each connection's warm-up, which then counts as in the window;
/// `pg_stat_statements` counts at once. The reading at the end waits for the load's connections to be closed, and misses
/// nothing.
pub struct Activity {
    connector: Connector,
    schema: String,
    client: Option<Client>,
    begin: Option<Reading>,
    notes: Vec<String>,
}

impl Activity {
    /// Connects, for the tables of `schema`. On latclinic's own server `pg_stat_statements` is made where it is not.
    pub async fn connect(connector: &Connector, schema: &str) -> Self {
        let mut notes = Vec::new();
        let client = match connector.connect("statistics").await {
            Ok(client) => {
                client.set_limit(Limit::Server(READING));
                if connector.is_managed()
                    && let Err(cause) = statements::create(&client).await
                {
                    notes.push(cause.to_string());
                }
                notes.extend(wait_until_fresh(&client).await.unwrap_or_else(Some));
                Some(client)
            }
            Err(cause) => {
                notes.push(cause.to_string());
                None
            }
        };
        Self { connector: connector.clone(), schema: schema.to_owned(), client, begin: None, notes }
    }

    /// Reads at the begin of the measured window.
    pub async fn begin(&mut self) {
        if let Some(client) = &self.client {
            self.begin = Reading::take(client, &self.schema).await.map_err(|cause| self.notes.push(cause)).ok();
        }
    }

    /// Reads after the load, once its connections are closed, and tells the difference.
    pub async fn end(mut self) -> ServerActivity {
        let outcome = self.read_end().await;
        let nothing = |notes| ServerActivity { notes, ..ServerActivity::default() };
        match (self.begin, outcome) {
            (Some(begin), Ok((client, end))) => {
                let mut activity = change::between(&begin, &end, &mut self.notes);
                activity.statements = statements::between(&client, &begin, &end, &mut self.notes).await;
                activity.notes = self.notes;
                activity
            }
            (None, Ok(_)) => {
                if self.notes.is_empty() {
                    self.notes.push("the statistics were not read at the begin of the window".to_owned());
                }
                nothing(self.notes)
            }
            (_, Err(cause)) => {
                self.notes.push(cause);
                nothing(self.notes)
            }
        }
    }

    async fn read_end(&mut self) -> Result<(Client, Reading), String> {
        let client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            // There is no time left for another one.
            Some(_) if self.connector.stop().is_cancelled() => return Err("the connection was lost".to_owned()),
            _ => self.connector.connect("statistics").await.map_err(|error| error.to_string())?,
        };
        self.notes.extend(wait_until_reported(&client).await?);
        let end = Reading::take(&client, &self.schema).await?;
        Ok((client, end))
    }
}

/// Waits until what the load's connections counted is in the views. Returns a note where that took too long.
async fn wait_until_reported(client: &Client) -> Result<Option<String>, String> {
    let begin = Instant::now();
    let open = format!(
        "SELECT {OWN} count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = {}",
        quote_literal("latclinic load")
    );
    loop {
        let row = client.query_one(&open, &[]).await.map_err(|cause| reading::failure("pg_stat_activity", &cause))?;
        let open: i64 = row.get(0);
        if open == 0 {
            return wait_until_fresh(client).await;
        }
        if begin.elapsed() > QUIET_WITHIN {
            return Ok(Some(format!(
                "{open} connections of the load were still open when the statistics were read: they may not have reported all"
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until the views are not older than now. Returns a note where that took too long.
async fn wait_until_fresh(client: &Client) -> Result<Option<String>, String> {
    let failed = |cause| reading::failure("statistics", &cause);
    let now = format!("SELECT {OWN} clock_timestamp()::text");
    let now: String = client.query_one(&now, &[]).await.map_err(failed)?.get(0);
    // Null from PostgreSQL 15 on, whose statistics are in shared memory and never old.
    let old = format!("SELECT {OWN} coalesce(pg_stat_get_snapshot_timestamp() < $1::text::timestamptz, false)");
    let begin = Instant::now();
    while client.query_one(&old, &[&now]).await.map_err(failed)?.get(0) {
        if begin.elapsed() > FRESH_WITHIN {
            return Ok(Some("the server's statistics were older than the moment at which they were read".to_owned()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}
