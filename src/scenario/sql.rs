//! SQL text into statements and placeholders, by PostgreSQL's lexical rules: strings, dollar quotes and comments hide
//! what is within them.

use std::ops::Range;

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace},
};

use super::sql_text::SqlStatement;

/// An SQL text taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// Its statements and where they stand.
    pub statements: Vec<(SqlStatement, Range<usize>)>,
    /// Each `$..` in it, in order, without the `$`, and where it stands.
    pub placeholders: Vec<(String, Range<usize>)>,
}

/// Why an SQL text cannot be taken apart, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LexicalFault {
    /// A lower-case fragment.
    pub message: String,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// Takes an SQL text apart.
pub(super) fn split(text: &str) -> Result<Split, LexicalFault> {
    let mut cursor = Cursor::new(text);
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().map_err(|error| {
        let start = cursor.offset(error.location);
        let mut message = error.message.trim().trim_end_matches([',', ':']).to_owned();
        if let Some(first) = message.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        LexicalFault { message, span: start..start + 1 }
    })?;

    let mut split = Split::default();
    let mut nesting = Nesting::default();
    let mut open: Option<Range<usize>> = None;
    let mut line = 0;
    for TokenWithSpan { token, span } in tokens {
        if matches!(token, Token::Whitespace(_) | Token::EOF) {
            // A comment's text may be read by nobody else; it belongs to the statement only if code follows.
            if let Token::Whitespace(Whitespace::MultiLineComment(_)) = token {
                cursor.offset(span.end);
            }
            continue;
        }
        let place = cursor.offset(span.start)..cursor.offset(span.end);
        nesting.enter(&token, &place);
        if token == Token::SemiColon && nesting.is_flat() {
            split.close(text, open.take(), line);
            nesting = Nesting::default();
            continue;
        }
        if let Token::Placeholder(name) = &token {
            split.placeholders.push((name.trim_start_matches('$').to_owned(), place.clone()));
        }
        match &mut open {
            Some(statement) => statement.end = place.end,
            None => {
                line = usize::try_from(span.start.line).unwrap_or(1);
                open = Some(place);
            }
        }
    }
    if let Some(span) = nesting.parentheses.into_iter().next() {
        return Err(LexicalFault { message: "a parenthesis that is never closed".to_owned(), span });
    }
    split.close(text, open, line);
    Ok(split)
}

/// The statements of an SQL text, without their semicolons.
///
/// # Errors
/// The text breaks off in a string, a comment or a parenthesis; a lower-case fragment says where.
pub fn statements(text: &str) -> Result<Vec<SqlStatement>, String> {
    match split(text) {
        Ok(split) => Ok(split.statements.into_iter().map(|(statement, _)| statement).collect()),
        Err(LexicalFault { message, span }) => {
            let line = text.get(..span.start).unwrap_or_default().matches('\n').count() + 1;
            Err(format!("line {line}: {message}"))
        }
    }
}

/// The `$n` of an SQL statement that was checked: each number with where it stands, in order.
pub fn placeholders(sql: &str) -> Vec<(usize, Range<usize>)> {
    let found = split(sql).map(|split| split.placeholders).unwrap_or_default();
    found.into_iter().filter_map(|(name, span)| Some((name.parse().ok()?, span))).collect()
}

/// The tokens of an SQL statement that was checked, with where they stand; without whitespace and comments.
pub(super) fn tokens(sql: &str) -> Vec<(Token, Range<usize>)> {
    let mut cursor = Cursor::new(sql);
    let found = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location().unwrap_or_default();
    let mut tokens = Vec::with_capacity(found.len());
    for TokenWithSpan { token, span } in found {
        let place = cursor.offset(span.start)..cursor.offset(span.end);
        if !matches!(token, Token::Whitespace(_) | Token::EOF) {
            tokens.push((token, place));
        }
    }
    tokens
}

impl Split {
    fn close(&mut self, text: &str, span: Option<Range<usize>>, line: usize) {
        if let Some(span) = span {
            let text = text.get(span.clone()).unwrap_or_default().to_owned();
            self.statements.push((SqlStatement { text, line }, span));
        }
    }
}

/// What a semicolon can stand within: parentheses, and the body of a function in standard SQL (`BEGIN ATOMIC .. END`).
#[derive(Debug, Default)]
struct Nesting {
    parentheses: Vec<Range<usize>>,
    words: Vec<String>,
    blocks: usize,
}

impl Nesting {
    fn is_flat(&self) -> bool {
        self.parentheses.is_empty() && self.blocks == 0
    }

    fn enter(&mut self, token: &Token, place: &Range<usize>) {
        match token {
            Token::LParen => self.parentheses.push(place.clone()),
            Token::RParen => drop(self.parentheses.pop()),
            Token::Word(word) if word.quote_style.is_none() => {
                let word = word.value.to_ascii_lowercase();
                if self.parentheses.is_empty() && self.creates_routine() {
                    match word.as_str() {
                        "atomic" if self.words.last().is_some_and(|last| last == "begin") => self.blocks += 1,
                        "case" if self.blocks > 0 => self.blocks += 1,
                        "end" if self.blocks > 0 => self.blocks -= 1,
                        _ => {}
                    }
                }
                // The first four tell what is created; of the others only the last matters.
                self.words.truncate(4);
                self.words.push(word);
            }
            _ => {}
        }
    }

    fn creates_routine(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(
            words.as_slice(),
            ["create", "function" | "procedure", ..] | ["create", "or", "replace", "function" | "procedure", ..]
        )
    }
}

/// Turns the tokenizer's lines and columns, which only grow, into byte offsets.
#[derive(Debug)]
struct Cursor<'t> {
    text: &'t str,
    offset: usize,
    line: u64,
    column: u64,
}

impl<'t> Cursor<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    fn offset(&mut self, target: Location) -> usize {
        let rest = self.text.get(self.offset..).unwrap_or_default();
        for letter in rest.chars() {
            if (self.line, self.column) >= (target.line, target.column) {
                break;
            }
            self.offset += letter.len_utf8();
            (self.line, self.column) = if letter == '\n' { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        }
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::{LexicalFault, split};

    fn statements(text: &str) -> Vec<(String, usize)> {
        let split = split(text).unwrap();
        split.statements.into_iter().map(|(statement, _)| (statement.text, statement.line)).collect()
    }

    #[test]
    fn splits_at_semicolons_of_the_top_level_only() {
        let text =
            "-- first; really\nSELECT 'a;b', \"c;d\", E'\\';', $$;$$, $x$;$x$ /* ; /* ; */ ; */;\n\n  SELECT (1);;\n";
        let found = statements(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].1, found[1].0.as_str(), found[1].1), (2, "SELECT (1)", 4));
        let rule = "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3";
        assert_eq!(statements(rule).len(), 2);
        let body = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END; \
                    BEGIN; COMMIT";
        assert_eq!(statements(body).len(), 3);
        assert!(statements(" -- nothing\n ; /* here */").is_empty());
    }

    #[test]
    fn finds_placeholders_in_code_only() {
        let found = split("SELECT '$1', $2, a$3 /* $4 */ WHERE ä = $1::int -- $5").unwrap();
        let names: Vec<_> = found.placeholders.iter().map(|(name, span)| (name.as_str(), span.clone())).collect();
        assert_eq!(names, [("2", 13..15), ("1", 41..43)]);
    }

    #[test]
    fn says_where_the_text_breaks_off() {
        let fault = |text| split(text).unwrap_err();
        assert_eq!(fault("SELECT 'abc"), LexicalFault { message: "unterminated string literal".into(), span: 7..8 });
        assert_eq!(fault("SELECT (1;").span, 7..8);
        assert!(fault("SELECT $x$ a").message.starts_with("unterminated dollar-quoted"));
    }
}
