//! `pg_stat_statements`: the costliest statements of a window.

use super::{
    change::{Change, Reset, changes},
    reading::{OWN, Part, Reading, Rows, failure, rows},
};
use crate::{
    pg::link::{
        Client,
        error::{Error, Result},
    },
    record::StatementActivity,
    sqltext::quote::quote_identifier,
};

/// Statements that are kept.
const KEPT: usize = 20;

/// The schema of the extension on latclinic's own server. Not `public`, where the statements of scenarios would find its views
/// and a scenario's fix may want it for itself; not a scenario's, which goes with its dataset.
const SCHEMA: &str = "latclinic";

/// Under this name stand the counters of the extension itself, beside those of the statements by their id.
const INFO: &str = "info";

/// Makes the extension where the library is loaded and it is not made. Only for latclinic's own server.
pub(crate) async fn create(client: &Client) -> Result<()> {
    let sql =
        "SELECT 'pg_stat_statements' = ANY(regexp_split_to_array(current_setting('shared_preload_libraries'), '[ ,]+'))
               AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')";
    let failed = |cause| Error::from_server("cannot make pg_stat_statements", cause);
    if client.query_one(sql, &[]).await.map_err(failed)?.get(0) {
        let sql = format!(
            "CREATE SCHEMA IF NOT EXISTS {SCHEMA}; CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA {SCHEMA}"
        );
        client.batch_execute(&sql).await.map_err(failed)?;
    }
    Ok(())
}

/// The statements of this database by their id, without their texts, and the extension's own counters. `None` where there is
/// no such extension.
pub(crate) async fn read(client: &Client) -> Part {
    let Some(schema) = schema(client).await? else { return Ok(None) };
    // Summed over roles: they send the same statements.
    let sql = format!(
        "coalesce(queryid::text, 'hidden'), jsonb_build_object('calls', sum(calls),
             'total_exec_time', sum(total_exec_time), 'rows', sum(rows), 'shared_blks_hit', sum(shared_blks_hit),
             'shared_blks_read', sum(shared_blks_read), 'temp_blks_read', sum(temp_blks_read),
             'temp_blks_written', sum(temp_blks_written), 'wal_bytes', sum(wal_bytes))
         FROM {schema}.pg_stat_statements(false) WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
         GROUP BY queryid
         UNION ALL SELECT '{INFO}', to_jsonb(i) FROM {schema}.pg_stat_statements_info i"
    );
    rows(client, "pg_stat_statements", &sql).await.map(Some)
}

/// Where the extension is, quoted.
async fn schema(client: &Client) -> std::result::Result<Option<String>, String> {
    let sql = format!(
        "SELECT {OWN} nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
         WHERE extname = 'pg_stat_statements'"
    );
    let row = client.query_opt(&sql, &[]).await.map_err(|cause| failure("pg_extension", &cause))?;
    Ok(row.map(|row| quote_identifier(row.get(0))))
}

/// The statements that took most time between two readings, with their texts.
pub(crate) async fn between(
    client: &Client,
    begin: &Reading,
    end: &Reading,
    notes: &mut Vec<String>,
) -> Option<Vec<StatementActivity>> {
    let told = match costliest(&begin.statements, &end.statements, notes) {
        Ok(told) => told?,
        Err(note) => {
            notes.push(note);
            return None;
        }
    };
    match with_texts(client, told).await {
        Ok(statements) => Some(statements),
        Err(note) => {
            notes.push(note);
            None
        }
    }
}

/// The ids of the costliest statements and their figures, some more than are kept, for latclinic's own are among them.
type Told = Vec<(String, StatementActivity)>;

fn costliest(begin: &Part, end: &Part, notes: &mut Vec<String>) -> std::result::Result<Option<Told>, String> {
    const NAME: &str = "pg_stat_statements";
    let changes = changes(begin, end).map_err(str::to_owned)?;
    let (Ok(Some(begin)), Ok(Some(end))) = (begin, end) else { return Ok(None) };
    let info = |rows: &Rows, name: &str| rows.get(INFO).and_then(|info| info.get(name)).cloned().unwrap_or_default();
    if info(begin, "stats_reset") != info(end, "stats_reset") {
        return Err(format!("{NAME} was reset inside the window"));
    }
    let evicted = |rows| info(rows, "dealloc").as_u64().unwrap_or(0);
    if evicted(end) > evicted(begin) {
        notes.push(format!(
            "{NAME} was full and threw statements out: some may be missing or too low; raise {NAME}.max"
        ));
    }
    if end.contains_key("hidden") {
        notes.push(format!("{NAME} hides statements of other roles; a role with pg_read_all_stats sees them"));
    }
    let mut told: Told = end
        .keys()
        .zip(&changes)
        .filter(|(id, _)| *id != INFO && *id != "hidden")
        // What went backwards was thrown out and came back: what it did in between is not known.
        .filter_map(|(id, change)| Some((id.clone(), statement(change).ok()?)))
        .filter(|(_, statement)| statement.calls > 0)
        .collect();
    told.sort_by(|(_, one), (_, other)| other.total_ms.total_cmp(&one.total_ms));
    told.truncate(2 * KEPT);
    Ok(Some(told))
}

fn statement(row: &Change<'_>) -> std::result::Result<StatementActivity, Reset> {
    let (calls, total_ms) = (row.count("calls")?.unwrap_or(0), row.amount("total_exec_time")?.unwrap_or(0.0));
    Ok(StatementActivity {
        query: String::new(),
        calls,
        total_ms,
        mean_ms: if calls > 0 { total_ms / calls as f64 } else { 0.0 },
        rows: row.count("rows")?,
        buffers_hit: row.count("shared_blks_hit")?,
        buffers_read: row.count("shared_blks_read")?,
        temp_blocks_read: row.count("temp_blks_read")?,
        temp_blocks_written: row.count("temp_blks_written")?,
        wal_bytes: row.count("wal_bytes")?,
    })
}

async fn with_texts(client: &Client, told: Told) -> std::result::Result<Vec<StatementActivity>, String> {
    let Some(schema) = schema(client).await? else { return Ok(Vec::new()) };
    let ids: Vec<&str> = told.iter().map(|(id, _)| id.as_str()).collect();
    let sql = format!(
        "queryid::text, jsonb_build_object('query', min(query)) FROM {schema}.pg_stat_statements(true)
         WHERE queryid::text IN ({}) GROUP BY queryid",
        if ids.is_empty() { "NULL".to_owned() } else { format!("'{}'", ids.join("', '")) }
    );
    let texts = rows(client, "pg_stat_statements", &sql).await?;
    let text = |id: &str| texts.get(id)?.get("query")?.as_str().map(str::to_owned);
    Ok(told
        .into_iter()
        .filter_map(|(id, statement)| Some(StatementActivity { query: text(&id)?, ..statement }))
        .filter(|statement| !statement.query.contains(OWN))
        .take(KEPT)
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::pg::site::activity::reading::Counters;

    fn part(rows: &[(&str, Value)]) -> Part {
        let counters = |value: &Value| -> Counters { value.as_object().cloned().unwrap_or_else(Map::new) };
        Ok(Some(rows.iter().map(|(id, value)| ((*id).to_owned(), counters(value))).collect()))
    }

    fn calls(calls: u64, total: f64) -> Value {
        json!({ "calls": calls, "total_exec_time": total, "rows": calls })
    }

    #[test]
    fn statements_come_by_their_time_in_the_window_and_what_did_not_run_not_at_all() {
        let begin = part(&[("info", json!({ "dealloc": 0 })), ("1", calls(10, 900.0)), ("2", calls(5, 5.0))]);
        let end = part(&[
            ("info", json!({ "dealloc": 0 })),
            ("1", calls(10, 900.0)),
            ("2", calls(15, 25.0)),
            ("3", calls(1, 100.0)),
        ]);
        let mut notes = Vec::new();
        let told = costliest(&begin, &end, &mut notes).unwrap().unwrap();
        let told: Vec<_> = told.iter().map(|(id, s)| (id.as_str(), s.calls, s.total_ms, s.mean_ms)).collect();
        assert_eq!(told, [("3", 1, 100.0, 100.0), ("2", 10, 20.0, 2.0)]);
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn what_was_thrown_out_and_came_back_is_left_out_and_noted() {
        let begin = part(&[("info", json!({ "dealloc": 0 })), ("1", calls(10, 900.0))]);
        let end = part(&[("info", json!({ "dealloc": 1 })), ("1", calls(2, 9.0))]);
        let mut notes = Vec::new();
        assert_eq!(costliest(&begin, &end, &mut notes), Ok(Some(Vec::new())));
        assert_eq!(notes.len(), 1, "{notes:?}");
    }

    #[test]
    fn a_reset_is_an_error_and_an_extension_that_is_not_there_is_none() {
        let begin = part(&[("info", json!({ "stats_reset": "a" }))]);
        let end = part(&[("info", json!({ "stats_reset": "b" }))]);
        assert!(costliest(&begin, &end, &mut Vec::new()).unwrap_err().contains("was reset inside the window"));
        assert_eq!(costliest(&Ok(None), &end, &mut Vec::new()), Ok(None));
    }
}
