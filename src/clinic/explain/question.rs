//! A statement that somebody wants explained, as they wrote it.

use crate::{
    clinic::{Error, ErrorKind},
    scenario,
};

/// Statements that PostgreSQL plans.
const PLANNED: [&str; 8] = ["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"];

/// Statements that cannot be undone, or end the transaction that would undo them.
const NOT_UNDONE: [&str; 11] =
    ["COMMIT", "END", "ROLLBACK", "ABORT", "BEGIN", "START", "VACUUM", "PREPARE", "CALL", "DO", "CLUSTER"];

/// The one statement of `text` that is to be explained, and what was left out of it, in words.
///
/// # Errors
/// There is none, there are several, it is none that has a plan, or the text breaks off.
pub fn question(text: &str) -> Result<(String, Option<String>), Error> {
    let refused = |message: String| Error::new(ErrorKind::Usage, message);
    let mut statements =
        scenario::statements(text).map_err(|fault| refused(format!("the statement is incomplete: {fault}")))?;
    let (count, only) = (statements.len(), statements.pop());
    let sql = match only {
        None => return Err(refused("there is no statement to explain".to_owned())),
        Some(_) if count > 1 => {
            return Err(refused(format!("there are {count} statements, and one can be explained at a time")));
        }
        Some(only) => only.text,
    };
    let stripped = without_explain(&sql);
    let note = stripped
        .is_some()
        .then(|| "the EXPLAIN in front of the statement was ignored; latclinic adds its own".to_owned());
    let sql = stripped.unwrap_or(&sql).to_owned();
    let first = first_word(&sql).to_uppercase();
    if PLANNED.contains(&first.as_str()) || sql.starts_with('(') {
        return Ok((sql, note));
    }
    let undone =
        NOT_UNDONE.contains(&first.as_str()) || (first == "CREATE" && sql.to_uppercase().contains("CONCURRENTLY"));
    let why = if undone {
        "PostgreSQL makes no plan for it, and its effects could not be rolled back"
    } else {
        "PostgreSQL makes no plan for it"
    };
    Err(refused(format!("{} cannot be explained: {why}", if first.is_empty() { "this" } else { &first }))
        .with_hint("give a SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE or MERGE"))
}

fn first_word(sql: &str) -> &str {
    sql.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap_or_default()
}

/// What follows an EXPLAIN with its options; `None` where it does not begin with one.
fn without_explain(sql: &str) -> Option<&str> {
    let after = |text: &'_ str, word: &str| {
        let first = first_word(text);
        first.eq_ignore_ascii_case(word).then_some(first.len())
    };
    let mut rest = sql[after(sql, "EXPLAIN")?..].trim_start();
    if first_word(rest).is_empty() && is_options(rest) {
        rest = rest.split_once(')')?.1.trim_start();
    }
    while let Some(length) = ["ANALYZE", "ANALYSE", "VERBOSE"].iter().find_map(|word| after(rest, word)) {
        rest = rest[length..].trim_start();
    }
    Some(rest)
}

/// Whether a parenthesis holds options of EXPLAIN, not a statement.
fn is_options(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('(') else { return false };
    let inside = inside.trim_start();
    !inside.starts_with('(') && !PLANNED.contains(&first_word(inside).to_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match question(text) {
            Ok((sql, None)) => sql,
            Ok((sql, Some(note))) => format!("{sql} -- {note}"),
            Err(error) => format!("refused: {error}"),
        }
    }

    #[test]
    fn one_statement_that_has_a_plan_is_taken() {
        let texts = [
            "-- find\n SELECT 1; -- done\n",
            "(SELECT 1) UNION (SELECT 2)",
            "with x as (select 1) table x",
            "EXPLAIN (ANALYZE, FORMAT JSON) SELECT 1",
            "explain analyze verbose\nupdate t set a = 1",
            "EXPLAIN (SELECT 1)",
            "EXPLAIN",
            "",
            " ; -- nothing\n;",
            "SELECT 1; SELECT 2; SELECT 3",
            "COMMIT",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "create table t ()",
            "SET work_mem = '1GB'",
            "SELECT 'open",
            "SELECT\n(1",
            "42",
        ];
        let told: String = texts.map(|text| format!("{}\n", told(text))).concat();
        insta::assert_snapshot!(told, @"
        SELECT 1
        (SELECT 1) UNION (SELECT 2)
        with x as (select 1) table x
        SELECT 1 -- the EXPLAIN in front of the statement was ignored; latclinic adds its own
        update t set a = 1 -- the EXPLAIN in front of the statement was ignored; latclinic adds its own
        (SELECT 1) -- the EXPLAIN in front of the statement was ignored; latclinic adds its own
        refused: this cannot be explained: PostgreSQL makes no plan for it
        refused: there is no statement to explain
        refused: there is no statement to explain
        refused: there are 3 statements, and one can be explained at a time
        refused: COMMIT cannot be explained: PostgreSQL makes no plan for it, and its effects could not be rolled back
        refused: CREATE cannot be explained: PostgreSQL makes no plan for it, and its effects could not be rolled back
        refused: CREATE cannot be explained: PostgreSQL makes no plan for it
        refused: SET cannot be explained: PostgreSQL makes no plan for it
        refused: the statement is incomplete: line 1: unterminated string literal
        refused: the statement is incomplete: line 2: a parenthesis that is never closed
        refused: 42 cannot be explained: PostgreSQL makes no plan for it
        ");
    }
}
