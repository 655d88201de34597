//! `SELECT .. INTO`, which creates a table.

use sqlparser::{
    ast::{SetExpr, Statement},
    dialect::PostgreSqlDialect,
    parser::Parser,
    tokenizer::{Token, Word},
};

use super::sql::tokens;

/// Whether an SQL statement is a SELECT that creates a table by INTO. Where the parser does not take a SELECT, any INTO in it may be one.
pub fn selects_into(sql: &str) -> bool {
    match Parser::parse_sql(&PostgreSqlDialect {}, sql) {
        // The parser takes that of a SELECT without columns for a name.
        Ok(statements) => {
            has_into(sql, &["AS", "INSERT", "MERGE"])
                || statements.iter().any(|statement| match statement {
                    Statement::Query(query) => is_into(&query.body),
                    _ => false,
                })
        }
        Err(_) => has_into(sql, &["AS"]),
    }
}

fn is_into(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_some(),
        SetExpr::Query(query) => is_into(&query.body),
        SetExpr::SetOperation { left, right, .. } => is_into(left) || is_into(right),
        _ => false,
    }
}

/// INTO is reserved: what is not quoted is a name only after AS or a period. That after one of `others` is none.
fn has_into(sql: &str, others: &[&str]) -> bool {
    let tokens = tokens(sql);
    let word = |token: &Token, expected: &str| match token {
        Token::Word(Word { value, quote_style: None, .. }) => value.eq_ignore_ascii_case(expected),
        _ => false,
    };
    let begins_with = |expected| tokens.first().is_some_and(|(token, _)| word(token, expected));
    let is_name = |before: &Token| others.iter().any(|other| word(before, other)) || *before == Token::Period;
    !begins_with("INSERT")
        && !begins_with("MERGE")
        && tokens.windows(2).any(|pair| word(&pair[1].0, "INTO") && !is_name(&pair[0].0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_select_into_is_told_from_other_intos() {
        for sql in [
            "SELECT * INTO copy FROM items",
            "select 1 as a into temp table copy",
            "SELECT INTO copy FROM items",
            "(SELECT id INTO copy FROM items)",
            "WITH x AS (SELECT 1 AS a) SELECT a INTO UNLOGGED copy FROM x",
            "SELECT 1 AS a INTO copy UNION ALL SELECT 2",
            "(SELECT 1 AS a INTO copy) UNION (SELECT 2) ORDER BY 1",
            "SELECT insert INTO copy FROM items",
            "SELECT id /* a */ INTO/**/copy FROM ROWS FROM (f(1) AS (a int), g(2)) WITH ORDINALITY AS x",
        ] {
            assert!(selects_into(sql), "{sql}");
        }
        for sql in [
            "SELECT 1 AS into",
            "SELECT x.into FROM x",
            "SELECT 'a INTO b', \"INTO\" FROM x -- INTO y",
            "INSERT INTO items SELECT 1",
            "WITH x AS (INSERT INTO items VALUES (1) RETURNING id) SELECT * FROM x",
            "MERGE INTO items AS i USING x ON i.id = x.id WHEN MATCHED THEN DELETE",
            "VALUES (1)",
        ] {
            assert!(!selects_into(sql), "{sql}");
        }
    }

    #[test]
    fn what_the_parser_does_not_take_is_looked_through() {
        let unread = |sql: &str| {
            assert!(Parser::parse_sql(&PostgreSqlDialect {}, sql).is_err(), "{sql}");
            selects_into(sql)
        };
        assert!(unread("SELECT a ~~~ ~~ INTO copy FROM items"));
        assert!(!unread("SELECT a ~~~ ~~ b AS into, x.into, 'into' FROM items"));
        assert!(!unread("INSERT INTO items SELECT a ~~~ ~~ b"));
    }
}
