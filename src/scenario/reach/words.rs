//! A statement as words. What is hidden in strings and comments is not there.

use sqlparser::tokenizer::{Token, Word};

use super::name::Name;
use crate::scenario::sql::tokens;

/// A word, or what stands between words.
#[derive(Debug, Default)]
struct Piece {
    /// Lower case; empty if it is no plain word.
    key: String,
    /// The name that it may be, as the catalog has it.
    name: Option<String>,
    /// A string constant.
    text: Option<String>,
    symbol: Symbol,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Open,
    Close,
    Comma,
    Period,
    Ampersand,
    Cast,
    #[default]
    Other,
}

/// A statement's words.
#[derive(Debug)]
pub(super) struct Words(Vec<Piece>);

impl Words {
    /// Those of a statement that was checked.
    pub(super) fn new(sql: &str) -> Self {
        let piece = |token| match token {
            // PostgreSQL folds ASCII alone.
            Token::Word(Word { value, quote_style: None, .. }) => {
                let key = value.to_ascii_lowercase();
                Piece { name: Some(key.clone()), key, ..Piece::default() }
            }
            Token::Word(Word { value, .. }) => Piece { name: Some(value), ..Piece::default() },
            Token::SingleQuotedString(text) => Piece { text: Some(text), ..Piece::default() },
            Token::LParen => Piece { symbol: Symbol::Open, ..Piece::default() },
            Token::RParen => Piece { symbol: Symbol::Close, ..Piece::default() },
            Token::Comma => Piece { symbol: Symbol::Comma, ..Piece::default() },
            Token::Period => Piece { symbol: Symbol::Period, ..Piece::default() },
            Token::DoubleColon => Piece { symbol: Symbol::Cast, ..Piece::default() },
            Token::Ampersand => Piece { symbol: Symbol::Ampersand, ..Piece::default() },
            _ => Piece::default(),
        };
        Self(tokens(sql).into_iter().map(|(token, _)| piece(token)).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key word at a place; empty if there is none.
    pub(super) fn key(&self, at: usize) -> &str {
        self.0.get(at).map_or("", |piece| piece.key.as_str())
    }

    /// The key word at a place, unless it can only be a name there: after AS and after a period any word is one.
    pub(super) fn verb(&self, at: usize) -> &str {
        let named = at.checked_sub(1).is_some_and(|before| self.key(before) == "as" || self.is_period(before));
        if named { "" } else { self.key(at) }
    }

    /// The same of the place before.
    pub(super) fn verb_before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |before| self.verb(before))
    }

    pub(super) fn is_open(&self, at: usize) -> bool {
        self.symbol(at) == Symbol::Open
    }

    pub(super) fn is_close(&self, at: usize) -> bool {
        self.symbol(at) == Symbol::Close
    }

    pub(super) fn is_cast(&self, at: usize) -> bool {
        self.symbol(at) == Symbol::Cast
    }

    pub(super) fn is_comma(&self, at: usize) -> bool {
        self.symbol(at) == Symbol::Comma
    }

    pub(super) fn is_period(&self, at: usize) -> bool {
        self.symbol(at) == Symbol::Period
    }

    fn symbol(&self, at: usize) -> Symbol {
        self.0.get(at).map_or(Symbol::Other, |piece| piece.symbol)
    }

    pub(super) fn text(&self, at: usize) -> Option<&str> {
        self.0.get(at)?.text.as_deref()
    }

    pub(super) fn name(&self, at: usize) -> Option<&str> {
        self.0.get(at)?.name.as_deref()
    }

    /// The parts of the name `a`, `a.b` or `a.b.c` that begins at a place, and the place after it.
    pub(super) fn parts(&self, at: usize) -> Option<(Vec<&str>, usize)> {
        let mut parts = vec![self.name(at)?];
        let mut end = at + 1;
        while self.is_period(end)
            && let Some(part) = self.name(end + 1)
        {
            parts.push(part);
            end += 2;
        }
        Some((parts, end))
    }

    /// The depth in parentheses of each word; a parenthesis is as deep as what is around it.
    pub(super) fn depths(&self) -> Vec<usize> {
        let mut depth = 0_usize;
        let of = |piece: &Piece| {
            depth -= usize::from(piece.symbol == Symbol::Close && depth > 0);
            let here = depth;
            depth += usize::from(piece.symbol == Symbol::Open);
            here
        };
        self.0.iter().map(of).collect()
    }

    /// Whether a name is written by the numbers of its characters (`U&"d\0061ta"`).
    pub(super) fn has_coded_name(&self) -> bool {
        (2..self.len()).any(|at| {
            self.key(at - 2) == "u"
                && self.symbol(at - 1) == Symbol::Ampersand
                && self.key(at).is_empty()
                && self.name(at).is_some()
        })
    }
}

/// Reads a statement's words one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'w> {
    pub(super) words: &'w Words,
    pub(super) at: usize,
}

impl<'w> Cursor<'w> {
    pub(super) fn new(words: &'w Words) -> Self {
        Self { words, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.words.len()
    }

    pub(super) fn key(&self) -> &'w str {
        self.words.key(self.at)
    }

    /// Passes over these key words, if they are next.
    pub(super) fn take(&mut self, keys: &str) -> bool {
        let mut at = self.at;
        for key in keys.split(' ') {
            if self.words.key(at) != key {
                return false;
            }
            at += 1;
        }
        self.at = at;
        true
    }

    /// Passes over the first of these that is next, and gives it.
    pub(super) fn take_any<'k>(&mut self, keys: &[&'k str]) -> Option<&'k str> {
        keys.iter().copied().find(|key| self.take(key))
    }

    pub(super) fn take_comma(&mut self) -> bool {
        let is = self.words.is_comma(self.at);
        self.at += usize::from(is);
        is
    }

    /// Passes over what is in parentheses, if they are next.
    pub(super) fn take_parentheses(&mut self) {
        if !self.words.is_open(self.at) {
            return;
        }
        let depths = self.words.depths();
        let here = depths[self.at];
        let end = (self.at + 1..depths.len()).find(|at| depths[*at] == here);
        self.at = end.map_or(depths.len(), |end| end + 1);
    }

    /// The name that is next.
    pub(super) fn name(&mut self) -> Option<Name> {
        let (parts, end) = self.words.parts(self.at)?;
        self.at = end;
        Name::of(&parts)
    }

    /// The names that are next, with commas between them; none if one of them is no name.
    pub(super) fn names(&mut self) -> Option<Vec<Name>> {
        let mut names = vec![self.name()?];
        while self.take_comma() {
            names.push(self.name()?);
        }
        Some(names)
    }
}
