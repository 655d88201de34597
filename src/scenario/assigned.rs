//! Columns that a statement writes parameters to.

use sqlparser::tokenizer::Token;

use super::sql::tokens;

/// A parameter that is written to a column of the table that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Its number, from 1.
    pub parameter: usize,
    /// The column, as the catalog names it.
    pub column: String,
    /// Whether it is of a new row, not one that is changed.
    pub is_new: bool,
}

/// Those of an `INSERT .. (..) VALUES (..)` and of `SET`, wherever in `sql`.
pub fn assigned(sql: &str) -> Vec<Assigned> {
    let tokens: Vec<Token> = tokens(sql).into_iter().map(|(token, _)| token).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begin = at;
        if is_word(&tokens[at], "INSERT") {
            at = inserted(&tokens, at + 1, &mut found);
        } else if is_word(&tokens[at], "SET") {
            at = set(&tokens, at + 1, &mut found);
        }
        at = at.max(begin + 1);
    }
    found
}

/// Reads from behind INSERT; the place behind its rows.
fn inserted(tokens: &[Token], begin: usize, found: &mut Vec<Assigned>) -> usize {
    let Some(open) = tokens[begin..].iter().position(|token| *token == Token::LParen).map(|place| begin + place) else {
        return begin;
    };
    let (columns, mut at) = items(tokens, open);
    let columns: Vec<Option<String>> = columns.iter().map(|column| column.first().and_then(name)).collect();
    let Some(values) = tokens[at..].iter().position(|token| is_word(token, "VALUES")) else { return at };
    at += values + 1;
    // Only OVERRIDING .. VALUE may stand between.
    if values > 3 {
        return at;
    }
    while tokens.get(at) == Some(&Token::LParen) {
        let (row, after) = items(tokens, at);
        for (column, value) in columns.iter().zip(&row) {
            let Some(column) = column else { continue };
            found.extend(of_item(value, column, true));
        }
        at = after + usize::from(tokens.get(after) == Some(&Token::Comma));
    }
    at
}

/// Reads from behind SET; the place behind what is set.
fn set(tokens: &[Token], begin: usize, found: &mut Vec<Assigned>) -> usize {
    let mut depth = 0_usize;
    let mut at = begin;
    let mut first = begin;
    loop {
        let ends = match tokens.get(at) {
            None | Some(Token::SemiColon) => true,
            // The statement that it is part of ends.
            Some(Token::RParen) if depth == 0 => true,
            Some(token) => depth == 0 && ["WHERE", "FROM", "RETURNING"].iter().any(|word| is_word(token, word)),
        };
        let is_comma = depth == 0 && tokens.get(at) == Some(&Token::Comma);
        if ends || is_comma {
            let item = &tokens[first.min(at)..at];
            if let [column, Token::Eq, value @ ..] = item
                && let Some(column) = name(column)
            {
                found.extend(of_item(value, &column, false));
            }
            first = at + 1;
        }
        match tokens.get(at) {
            _ if ends => return at,
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

fn of_item<'a>(value: &'a [Token], column: &'a str, is_new: bool) -> impl Iterator<Item = Assigned> + 'a {
    value.iter().filter_map(move |token| match token {
        Token::Placeholder(text) => {
            let parameter = text.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)?;
            Some(Assigned { parameter, column: column.to_owned(), is_new })
        }
        _ => None,
    })
}

/// What is between the commas in a pair of parentheses, and the place behind that.
fn items(tokens: &[Token], open: usize) -> (Vec<&[Token]>, usize) {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut first = open + 1;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth -= 1;
                if depth == 0 {
                    items.push(&tokens[first..at]);
                    return (items, at + 1);
                }
            }
            Token::Comma if depth == 1 => {
                items.push(&tokens[first..at]);
                first = at + 1;
            }
            _ => {}
        }
    }
    (items, tokens.len())
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

fn name(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_lowercase()),
        Token::Word(word) => Some(word.value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_written_parameters_are_found() {
        let of = |sql: &str| -> Vec<String> {
            let text = |one: Assigned| format!("{}{}{}", one.parameter, if one.is_new { "+" } else { "=" }, one.column);
            assigned(sql).into_iter().map(text).collect()
        };
        assert_eq!(
            of("INSERT INTO s.t (a, \"B\", c) VALUES ($1, f($2), now()), ($3, $4, 1)"),
            ["1+a", "2+B", "3+a", "4+B"]
        );
        assert_eq!(
            of("INSERT INTO t AS x (a, b) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = x.b + $3 WHERE x.c = $4"),
            ["1+a", "2+b", "3=b"]
        );
        assert_eq!(of("UPDATE t SET a = coalesce($1, a), b = $2::int WHERE c = $3"), ["1=a", "2=b"]);
        assert_eq!(of("WITH x AS (UPDATE t SET a = $1) SELECT $2"), ["1=a"]);
        for none in [
            "SELECT $1",
            "INSERT INTO t SELECT $1",
            "INSERT INTO t (a",
            "SET",
            "INSERT",
            "UPDATE t SET (a, b) = ($1, $2)",
        ] {
            assert!(of(none).is_empty(), "{none}");
        }
    }
}
