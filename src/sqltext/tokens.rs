//! Tokens of the expressions that plans print.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name with its qualifiers, or a keyword.
    Word,
    Text,
    Number,
    Operator,
    Cast,
    Open,
    Close,
    Other,
}

/// A token and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: Range<usize>,
    /// Parentheses open around it.
    pub(crate) depth: usize,
}

impl Token {
    pub(crate) fn of<'a>(&self, text: &'a str) -> &'a str {
        &text[self.at.clone()]
    }
}

/// Those of an expression; none is lost, whatever the text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            '\'' => (Kind::Text, quoted(rest, '\'')),
            'O' if rest.starts_with("OPERATOR(") => {
                (Kind::Operator, rest.find(')').map_or(rest.len(), |close| close + 1))
            }
            '"' | '_' => (Kind::Word, word(rest)),
            first if first.is_alphabetic() => (Kind::Word, word(rest)),
            first if first.is_ascii_digit() => (Kind::Number, run(rest, |c| c.is_ascii_alphanumeric() || c == '.')),
            '$' => (Kind::Other, 1 + run(&rest[1..], |c| c.is_ascii_digit())),
            ':' if rest.starts_with("::") => (Kind::Cast, 2),
            first if is_operator(first) => (Kind::Operator, run(rest, is_operator)),
            other => (Kind::Other, other.len_utf8()),
        };
        if kind == Kind::Close {
            depth = depth.saturating_sub(1);
        }
        if !first.is_whitespace() {
            tokens.push(Token { kind, at: at..at + length, depth });
        }
        if kind == Kind::Open {
            depth += 1;
        }
        at += length;
    }
    tokens
}

fn is_operator(c: char) -> bool {
    "+-*/<>=~!@#%^&|`?".contains(c)
}

fn run(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c| !holds(c)).unwrap_or(text.len())
}

/// Length of a name with its qualifiers, any of them in double quotes.
fn word(text: &str) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[length..];
        length += if rest.starts_with('"') {
            quoted(rest, '"')
        } else {
            run(rest, |c| c.is_alphanumeric() || c == '_' || c == '$')
        };
        let next = text[length..].strip_prefix('.').and_then(|rest| rest.chars().next());
        if !next.is_some_and(|next| next.is_alphabetic() || next == '_' || next == '"') {
            return length;
        }
        length += 1;
    }
}

/// Length of what begins with this quote mark, both marks among it; a doubled mark does not end it.
fn quoted(text: &str, mark: char) -> usize {
    let mut at = 1;
    while let Some(found) = text[at..].find(mark) {
        at += found + 1;
        if !text[at..].starts_with(mark) {
            return at;
        }
        at += 1;
    }
    text.len()
}
