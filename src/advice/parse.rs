//! SQL text to a syntax tree, as far as `sqlparser` reads it and within bounds: what is longer or deeper is passed over.

use std::collections::BTreeSet;

use sqlparser::{
    ast::{Expr, OrderByExpr, Statement},
    dialect::PostgreSqlDialect,
    parser::Parser,
    tokenizer::{Token, Tokenizer},
};

/// Tokens of an expression or a statement, beside commas and literals, above which it is passed over: a tree is as deep as it has
/// operators in a row.
const MOST_TOKENS: usize = 1_500;

/// The tokens without white space and comments; `None` where the text is none of SQL.
fn tokens(sql: &str) -> Option<Vec<Token>> {
    let mut tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().ok()?;
    tokens.retain(|token| !matches!(token, Token::Whitespace(_) | Token::EOF));
    Some(tokens)
}

/// Parentheses in each other above which an expression is passed over: each level is gone through again.
const DEEPEST: usize = 200;

fn is_flat(tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    tokens.iter().all(|token| {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= DEEPEST
    })
}

fn is_short(tokens: &[Token]) -> bool {
    let counts = |token: &&Token| !matches!(token, Token::Comma | Token::Number(..) | Token::SingleQuotedString(_));
    tokens.iter().filter(counts).count() <= MOST_TOKENS
}

/// The one statement of a text.
pub(crate) fn statement(sql: &str) -> Option<Statement> {
    let tokens = tokens(sql).filter(|tokens| is_short(tokens))?;
    let mut statements = Parser::new(&PostgreSqlDialect {}).with_tokens(tokens).parse_statements().ok()?;
    if statements.len() == 1 { statements.pop() } else { None }
}

/// The conditions that a text joins by AND, and how many of them could not be read.
pub(crate) fn conjuncts(text: &str) -> (Vec<Expr>, usize) {
    let Some(tokens) = tokens(text).filter(|tokens| is_flat(tokens)) else { return (Vec::new(), 1) };
    let (mut read, mut unread) = (Vec::new(), 0);
    let mut open = vec![of_init_plans(tokens)];
    while let Some(mut part) = open.pop() {
        while is_wrapped(&part) {
            part = part[1..part.len() - 1].to_vec();
        }
        let parts = at_ands(&part);
        if parts.len() > 1 {
            open.extend(parts.into_iter().rev().map(<[Token]>::to_vec));
        } else {
            match expression(part) {
                Some(expr) => read.push(expr),
                None => unread += 1,
            }
        }
    }
    (read, unread)
}

fn expression(tokens: Vec<Token>) -> Option<Expr> {
    if !is_short(&tokens) {
        return None;
    }
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens(tokens);
    let expr = parser.parse_expr().ok()?;
    (parser.peek_token().token == Token::EOF).then_some(expr)
}

/// A key of a sort, as a plan writes it: `events.created_at DESC`.
pub(crate) fn sort_key(text: &str) -> Option<OrderByExpr> {
    let tokens = tokens(text).filter(|tokens| is_short(tokens))?;
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens(tokens);
    let key = parser.parse_order_by_expr().ok()?;
    (parser.peek_token().token == Token::EOF).then_some(key)
}

/// The names in a statement that may be those of columns; `None` where it takes all columns of a table, or cannot be read.
pub(crate) fn names(sql: &str) -> Option<BTreeSet<String>> {
    let tokens = tokens(sql)?;
    let mut names = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) if word.quote_style.is_some() => drop(names.insert(word.value.clone())),
            Token::Word(word) => drop(names.insert(word.value.to_lowercase())),
            Token::Mul if takes_all(&tokens, at) => return None,
            _ => {}
        }
    }
    Some(names)
}

/// Whether the `*` at `at` stands for columns: not for a product, nor for the rows of `count(*)`.
fn takes_all(tokens: &[Token], at: usize) -> bool {
    match at.checked_sub(1).map(|before| &tokens[before]) {
        Some(Token::Word(word)) => {
            word.quote_style.is_none()
                && ["select", "distinct", "all", "returning"].contains(&word.value.to_lowercase().as_str())
        }
        Some(Token::Comma | Token::Period) => true,
        _ => false,
    }
}

/// `(InitPlan 1).col1` is a value that is known before a row is read, which PostgreSQL writes as `$0` before version 17.
fn of_init_plans(tokens: Vec<Token>) -> Vec<Token> {
    let is_word =
        |token: &Token, begin: &str| matches!(token, Token::Word(word) if word.value.to_lowercase().starts_with(begin));
    let mut put: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        put.push(token);
        if let [.., Token::LParen, name, Token::Number(..), Token::RParen, Token::Period, column] = put.as_slice()
            && is_word(name, "initplan")
            && is_word(column, "col")
        {
            put.truncate(put.len() - 6);
            put.push(Token::Placeholder("$0".to_owned()));
        }
    }
    put
}

/// Whether the first token is a parenthesis that the last one closes.
fn is_wrapped(tokens: &[Token]) -> bool {
    tokens.first() == Some(&Token::LParen)
        && depths(tokens).skip(1).position(|depth| depth == 0).is_some_and(|closed| closed + 2 == tokens.len())
}

/// How many parentheses are open after each token.
fn depths(tokens: &[Token]) -> impl Iterator<Item = i64> {
    tokens.iter().scan(0, |depth, token| {
        *depth += match token {
            Token::LParen | Token::LBracket => 1,
            Token::RParen | Token::RBracket => -1,
            _ => 0,
        };
        Some(*depth)
    })
}

/// The parts between the ANDs outside of parentheses. BETWEEN is none that a plan writes.
fn at_ands(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, depth) in depths(tokens).enumerate() {
        let is_and = matches!(&tokens[at], Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("and"));
        if depth == 0 && is_and {
            parts.push(&tokens[begin..at]);
            begin = at + 1;
        }
    }
    parts.push(&tokens[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (Vec<String>, usize) {
        let (exprs, unread) = conjuncts(text);
        (exprs.iter().map(ToString::to_string).collect(), unread)
    }

    #[test]
    fn conditions_of_a_plan_are_taken_apart() {
        let parts = read("((e.user_id = 42) AND ((e.kind)::text = 'a AND b'::text) AND (NOT e.gone))");
        assert_eq!(
            parts,
            (["e.user_id = 42", "(e.kind)::TEXT = 'a AND b'::TEXT", "NOT e.gone"].map(str::to_owned).into(), 0)
        );
        assert_eq!(read("((a = 1) OR (b = 2))").0, ["(a = 1) OR (b = 2)"]);
        assert_eq!(read("((a = 1) AND (hashed SubPlan 1))"), (vec!["a = 1".to_owned()], 1));
        assert_eq!(read("(a = (InitPlan 1).col1)"), (vec!["a = $0".to_owned()], 0));
        assert_eq!(read("(a ~~ 'x%'::text)").1, 0);
    }

    #[test]
    fn names_are_those_of_columns_unless_all_are_taken() {
        let found = names("SELECT e.ID, \"Kind\", count(*), 2 * n FROM events e").unwrap();
        assert!(["id", "Kind", "n"].iter().all(|name| found.contains(*name)));
        assert_eq!(names("SELECT * FROM t"), None);
        assert_eq!(names("SELECT a, t.* FROM t"), None);
        assert_eq!(names("SELECT 'a"), None);
    }

    #[test]
    fn what_is_too_deep_is_passed_over() {
        for part in ["(", "NOT ", "a AND ", "a + ", "- ", "CASE WHEN ", "a[", "f(", "(SELECT "] {
            let text = part.repeat(20_000) + "a";
            let _ = conjuncts(&text);
            let _ = statement(&format!("SELECT {text} FROM t"));
            let _ = statement(&format!("SELECT {} FROM t", part.repeat(700) + "a"));
        }
        let long: String = (0..5_000).map(|n| format!("{n}, ")).collect();
        assert!(statement(&format!("SELECT a FROM t WHERE a IN ({long} 1)")).is_some());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_passed_over(text in "\\PC{0,60}") {
            let _ = (conjuncts(&text), statement(&text), sort_key(&text), names(&text));
        }

        #[test]
        fn any_row_of_words_is_read_or_passed_over(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "a", "t", "t.a", "\"B\"", "=", "<", "IN", "ANY", "(", ")", ",", "1", "'x%'", "LIKE",
                    "IS", "NULL", "ORDER BY", "DESC", "LIMIT", "::text", "$1", "@>", "->>", "JOIN", "ON", "USING", "WITH", "AS", "lower", "*", "BETWEEN",
                    "UPDATE", "SET", "DELETE", "EXISTS", "UNION", "[", "]", "CASE", "WHEN", "END", "ROW", "INTERVAL", "(InitPlan 1).col1",
                ]),
                0..30,
            )
        ) {
            let text = words.join(" ");
            let _ = (conjuncts(&text), statement(&text), sort_key(&text), names(&text));
        }
    }
}
