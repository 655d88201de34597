//! What other databases have in their SQL and PostgreSQL does not: MySQL, SQL Server, Oracle, SQLite.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use super::token::{is, is_operand};

/// Functions of other databases that PostgreSQL has not, and what it has instead. Sorted.
const FUNCTIONS: &[(&str, &str)] = &[
    ("charindex", "strpos(text, part)"),
    ("curdate", "CURRENT_DATE"),
    ("date_format", "to_char(a, 'YYYY-MM-DD')"),
    ("date_sub", "a - interval '1 day'"),
    ("dateadd", "a + interval '1 day'"),
    ("datediff", "b::date - a::date"),
    ("from_unixtime", "to_timestamp(a)"),
    ("getdate", "now()"),
    ("group_concat", "string_agg(a, ',')"),
    ("if", "CASE WHEN a THEN b ELSE c END"),
    ("ifnull", "COALESCE(a, b)"),
    ("iif", "CASE WHEN a THEN b ELSE c END"),
    ("instr", "strpos(text, part)"),
    ("isnull", "COALESCE(a, b)"),
    ("json_extract", "a -> 'key'"),
    ("last_insert_id", "INSERT .. RETURNING id"),
    ("len", "length(a)"),
    ("listagg", "string_agg(a, ',')"),
    ("locate", "strpos(text, part)"),
    ("newid", "gen_random_uuid()"),
    ("nvl", "COALESCE(a, b)"),
    ("nvl2", "CASE WHEN a IS NOT NULL THEN b ELSE c END"),
    ("rand", "random()"),
    ("scope_identity", "INSERT .. RETURNING id"),
    ("str_to_date", "to_timestamp(a, 'YYYY-MM-DD')"),
    ("timestampdiff", "extract(epoch FROM b - a)"),
    ("unix_timestamp", "extract(epoch FROM a)"),
];

/// The form of another database that begins at the token `at`: where it is in the text, and what PostgreSQL has instead.
pub(super) fn foreign_word(sql: &str, tokens: &[(Token, Range<usize>)], at: usize) -> Option<(Range<usize>, String)> {
    let (token, span) = tokens.get(at)?;
    let next = |more: usize| tokens.get(at + more);
    let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map(|(token, _)| token);
    let is_next = |more: usize, word: &str| next(more).is_some_and(|(token, _)| is(token, word));
    let through = |more: usize, form: &str| Some((span.start..next(more)?.1.end, form.to_owned()));
    let number = |more: usize| match next(more) {
        Some((Token::Number(number, _), _)) => Some(number.as_str()),
        _ => None,
    };
    match token {
        Token::Char('`') => {
            let end = (1..tokens.len() - at).find(|more| tokens[at + more].0 == Token::Char('`'))?;
            through(end, &plain_or_quoted(sql.get(span.end..tokens[at + end].1.start)?))
        }
        Token::LBracket
            if !before.is_some_and(|before| is_operand(before) || is(before, "array"))
                && !is_within_array(&tokens[..at]) =>
        {
            let end = (1..tokens.len() - at).find(|more| tokens[at + more].0 == Token::RBracket)?;
            matches!(next(1), Some((Token::Word(_), _))).then_some(())?;
            through(end, &plain_or_quoted(sql.get(span.end..tokens[at + end].1.start)?))
        }
        Token::Sharp if begins_line(sql, span.start) => {
            let line = sql.get(span.start..)?.lines().next()?.trim_end();
            Some((span.start..span.start + line.len(), format!("--{}", line.strip_prefix('#')?)))
        }
        Token::DoubleEq => through(0, "="),
        Token::Spaceship => through(0, "IS NOT DISTINCT FROM"),
        Token::LParen if before.is_some_and(is_operand) => match (&next(1)?.0, &next(2)?.0) {
            (Token::Plus, Token::RParen) => through(2, "LEFT JOIN .. ON"),
            _ => None,
        },
        Token::Word(word) if word.quote_style.is_none() && !matches!(before, Some(Token::Period)) => {
            let name = word.value.to_ascii_lowercase();
            let is_call = matches!(next(1), Some((Token::LParen, _)));
            let behind = |word: &str| before.is_some_and(|before| is(before, word));
            match name.as_str() {
                "top" if behind("select") || behind("distinct") => match (number(1), &next(1)?.0, number(2)) {
                    (Some(count), _, _) => through(1, &format!("LIMIT {count} at the end")),
                    (None, Token::LParen, Some(count)) => through(3, &format!("LIMIT {count} at the end")),
                    _ => None,
                },
                "limit" if matches!(next(2), Some((Token::Comma, _))) => {
                    let (first, count) = (text(sql, next(1)?), text(sql, next(3)?));
                    through(3, &format!("LIMIT {count} OFFSET {first}"))
                }
                "interval" if number(1).is_some() => match next(2) {
                    Some((Token::Word(unit), _)) => {
                        through(2, &format!("interval '{} {}'", number(1)?, unit.value.to_ascii_lowercase()))
                    }
                    _ => None,
                },
                "from" if is_next(1, "dual") => through(1, "nothing: a SELECT needs no FROM"),
                "with" if is_call && is_next(2, "nolock") => through(3, "nothing: readers do not wait for writers"),
                "use" | "force" | "ignore" if is_next(1, "index") => {
                    through(1, "nothing: there are no hints, the planner chooses by its statistics")
                }
                "straight_join" => through(0, "JOIN: the planner chooses the order"),
                "sql_calc_found_rows" => through(0, "count(*) OVER () as a column"),
                "rownum" => through(0, "LIMIT n at the end, or row_number() OVER ()"),
                "sysdate" => through(0, "now()"),
                "minus" if is_next(1, "select") => through(0, "EXCEPT"),
                "cross" if is_next(1, "apply") => through(1, "CROSS JOIN LATERAL"),
                "outer" if is_next(1, "apply") => through(1, "LEFT JOIN LATERAL (..) ON true"),
                "connect" if is_next(1, "by") => through(1, "WITH RECURSIVE"),
                "regexp" | "rlike" if before.is_some_and(is_operand) => through(0, "~"),
                "decode" if is_call && arguments(tokens, at + 1) > 2 => through(0, "CASE a WHEN b THEN c ELSE d END"),
                "convert" if is_call && arguments(tokens, at + 1) == 2 => through(0, "CAST(a AS type)"),
                name if is_call => {
                    let found = FUNCTIONS.binary_search_by_key(&name, |(known, _)| known).ok()?;
                    through(0, FUNCTIONS[found].1)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether brackets are open before: what follows is an element.
fn is_within_array(before: &[(Token, Range<usize>)]) -> bool {
    let count = |of: &Token| before.iter().filter(|(token, _)| token == of).count();
    count(&Token::LBracket) > count(&Token::RBracket)
}

/// A name as PostgreSQL writes it.
fn plain_or_quoted(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { format!("{name}, or \"{name}\" if it is a keyword") } else { format!("\"{name}\"") }
}

fn begins_line(sql: &str, at: usize) -> bool {
    sql.get(..at).is_some_and(|before| before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty()))
}

fn text<'s>(sql: &'s str, token: &(Token, Range<usize>)) -> &'s str {
    sql.get(token.1.clone()).unwrap_or_default()
}

/// How many arguments the parentheses that open at `open` have.
fn arguments(tokens: &[(Token, Range<usize>)], open: usize) -> usize {
    let (mut depth, mut commas) = (0_usize, 0);
    for (token, _) in tokens.get(open..).unwrap_or_default() {
        match token {
            Token::LParen => depth += 1,
            Token::RParen if depth <= 1 => break,
            Token::RParen => depth -= 1,
            Token::Comma if depth == 1 => commas += 1,
            _ => {}
        }
    }
    commas + 1
}

#[cfg(test)]
mod tests {
    use super::{super::foreign_form::foreign_form, FUNCTIONS};

    #[test]
    fn forms_of_other_databases_are_named_with_what_postgresql_has() {
        let told = [
            "SELECT TOP 10 * FROM stays",
            "SELECT TOP (10) * FROM stays",
            "SELECT `id` FROM `stays`",
            "SELECT [id] FROM [stays]",
            "SELECT id, [Guest Name] FROM stays",
            "SELECT id FROM stays LIMIT 20, 10",
            "SELECT id FROM stays\n# of today\nWHERE id = 1",
            "SELECT ISNULL(mood, 'none') FROM stays",
            "SELECT NVL(mood, 'none') FROM stays",
            "SELECT id FROM stays WHERE came > DATEADD(day, -1, GETDATE())",
            "SELECT id FROM stays WHERE came > now() - INTERVAL 1 DAY",
            "SELECT id FROM stays WITH (NOLOCK)",
            "SELECT 1 FROM dual",
            "SELECT id FROM stays WHERE ROWNUM <= 10",
            "SELECT id FROM stays MINUS SELECT id FROM guests",
            "SELECT s.id FROM stays s CROSS APPLY (SELECT 1) x",
            "SELECT s.id FROM stays s, guests g WHERE s.id = g.stay (+)",
            "SELECT DECODE(mood, 1, 'a', 'b') FROM stays",
            "SELECT id FROM stays USE INDEX (stays_came)",
            "SELECT id FROM stays WHERE mood <=> NULL",
        ]
        .map(|sql| foreign_form(sql).map_or_else(|| format!("nothing: {sql}\n"), |form| format!("{form}\n")))
        .concat();
        insta::assert_snapshot!(told, @r#"
        line 1, column 8 of the statement: `TOP 10` is the form of another database; in PostgreSQL write LIMIT 10 at the end
        line 1, column 8 of the statement: `TOP (10)` is the form of another database; in PostgreSQL write LIMIT 10 at the end
        line 1, column 8 of the statement: ``id`` is the form of another database; in PostgreSQL write id, or "id" if it is a keyword
        line 1, column 8 of the statement: `[id]` is the form of another database; in PostgreSQL write id, or "id" if it is a keyword
        line 1, column 12 of the statement: `[Guest Name]` is the form of another database; in PostgreSQL write "Guest Name"
        line 1, column 22 of the statement: `LIMIT 20, 10` is the form of another database; in PostgreSQL write LIMIT 10 OFFSET 20
        line 2, column 1 of the statement: `# of today` is the form of another database; in PostgreSQL write -- of today
        line 1, column 8 of the statement: `ISNULL` is the form of another database; in PostgreSQL write COALESCE(a, b)
        line 1, column 8 of the statement: `NVL` is the form of another database; in PostgreSQL write COALESCE(a, b)
        line 1, column 35 of the statement: `DATEADD` is the form of another database; in PostgreSQL write a + interval '1 day'
        line 1, column 43 of the statement: `INTERVAL 1 DAY` is the form of another database; in PostgreSQL write interval '1 day'
        line 1, column 22 of the statement: `WITH (NOLOCK)` is the form of another database; in PostgreSQL write nothing: readers do not wait for writers
        line 1, column 10 of the statement: `FROM dual` is the form of another database; in PostgreSQL write nothing: a SELECT needs no FROM
        line 1, column 28 of the statement: `ROWNUM` is the form of another database; in PostgreSQL write LIMIT n at the end, or row_number() OVER ()
        line 1, column 22 of the statement: `MINUS` is the form of another database; in PostgreSQL write EXCEPT
        line 1, column 26 of the statement: `CROSS APPLY` is the form of another database; in PostgreSQL write CROSS JOIN LATERAL
        line 1, column 56 of the statement: `(+)` is the form of another database; in PostgreSQL write LEFT JOIN .. ON
        line 1, column 8 of the statement: `DECODE` is the form of another database; in PostgreSQL write CASE a WHEN b THEN c ELSE d END
        line 1, column 22 of the statement: `USE INDEX` is the form of another database; in PostgreSQL write nothing: there are no hints, the planner chooses by its statistics
        line 1, column 33 of the statement: `<=>` is the form of another database; in PostgreSQL write IS NOT DISTINCT FROM
        "#);
    }

    #[test]
    fn what_postgresql_has_itself_is_no_form_of_another() {
        for sql in [
            "SELECT a[1], ARRAY[b, c], ARRAY[[d], [e]], (f)[g] FROM t",
            "SELECT a # b FROM t WHERE doc #> '{a}' IS NOT NULL AND doc #>> '{a}' = 'x'",
            "SELECT top, t.rownum, x.sysdate, \"top\" FROM t WHERE a ISNULL LIMIT 10 OFFSET 20",
            "SELECT decode('aa', 'hex'), convert(a, 'UTF8', 'LATIN1'), t.len(1) FROM t",
            "SELECT '`a` TOP 10', 1 -- # LIMIT 1, 2\nFROM t WITH ORDINALITY",
            "WITH a AS (SELECT 1) SELECT left(b, 1), right(b, 1), date_part('day', c) FROM a CROSS JOIN LATERAL d",
        ] {
            assert_eq!(foreign_form(sql), None, "{sql}");
        }
        assert!(FUNCTIONS.is_sorted());
    }
}
