//! What a probe leaves, taken away: VACUUM of the tables that it wrote to.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::pg::{
    link::{
        Client, Fault, Limit, Scope, Timeout,
        connector::Connector,
        error::{Error, Result, server_words},
    },
    site::catalog::qualified,
};

/// How long the end of the probe's session is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a VACUUM may take, and wait for its lock.
const STATEMENT: Duration = Duration::from_secs(5);
const LOCK: Duration = Duration::from_secs(2);
/// How often it is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Vacuums each of `tables` once the session `probe` is gone, and says of each that was not, by name, why. As long as that session lives
/// its rows are not dead for all, and at its end it adds them to the statistics: after a VACUUM they would call for autovacuum.
///
/// # Errors
/// There is no connection.
pub(crate) async fn vacuum(
    connector: &Connector,
    schema: &str,
    tables: &[&str],
    probe: i32,
) -> Result<Vec<(String, String)>> {
    let client = connector.connect("vacuum").await?;
    client.set_limit(Limit::Server(STATEMENT));
    let failed = |cause| Error::from_server("cannot prepare a session for VACUUM", cause);
    // A VACUUM in the way of autovacuum ends that after a second (deadlock_timeout), unless it wards off wraparound.
    let limits = [(Timeout::Lock, Some(LOCK)), (Timeout::Statement, Some(STATEMENT))];
    client.batch_execute(&client.theirs().set(Scope::Session, &limits)).await.map_err(failed)?;
    wait_for_end(&client, probe).await.map_err(failed)?;
    let mut left = Vec::new();
    for table in tables {
        if let Err(reason) = vacuum_table(&client, &qualified(schema, table)).await {
            left.push(((*table).to_owned(), reason));
        }
    }
    Ok(left)
}

async fn wait_for_end(client: &Client, session: i32) -> std::result::Result<(), Fault> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE
        && client.query_opt("SELECT FROM pg_stat_get_activity($1)", &[&session]).await?.is_some()
    {
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// Also takes the rows' entries out of the indexes, however few there are, so that their places are free for the next probe. The
/// pages stay, because to give them back would lock the table against reads.
async fn vacuum_table(client: &Client, relation: &str) -> std::result::Result<(), String> {
    // VACUUM only warns where it may not.
    let allowed = "SELECT CASE WHEN current_setting('server_version_num')::int >= 170000 \
                       THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END \
                   OR pg_has_role(relowner, 'USAGE') OR pg_has_role(datdba, 'USAGE') \
                   FROM pg_class c, pg_database WHERE c.oid = $1::text::regclass AND datname = current_database()";
    let words = |cause| server_words(&cause);
    let allowed: bool = client.query_one(allowed, &[&relation]).await.map_err(words)?.get(0);
    if !allowed {
        return Err("the role may not".to_owned());
    }
    client.batch_execute(&format!("VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) {relation}")).await.map_err(words)
}
