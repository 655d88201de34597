//! Lines of cleaned text, without the quotes that programs put around each.

use std::{borrow::Cow, cell::OnceCell};

use crate::plan::text::{begins, line};

/// A line of cleaned text.
#[derive(Debug)]
pub(crate) struct Row<'t> {
    /// Its first byte in the text.
    pub(crate) begin: usize,
    /// As it stands there.
    pub(crate) raw: &'t str,
    /// Most lines are those of JSON, which need none.
    content: OnceCell<Cow<'t, str>>,
    unquoted: OnceCell<(char, Cow<'t, str>)>,
}

impl<'t> Row<'t> {
    fn of(begin: usize, raw: &'t str) -> Self {
        Self { begin, raw, content: OnceCell::new(), unquoted: OnceCell::new() }
    }

    /// Spaces and tabs before it.
    pub(crate) fn indent(&self) -> usize {
        let content = self.content();
        content[..content.len() - line::unindented(content).len()].chars().count()
    }

    /// The line without them, and without the quotes of a row of CSV.
    pub(crate) fn text(&self) -> &str {
        line::unindented(self.content()).trim_end()
    }

    /// The line without the quotes of a row of CSV.
    pub(crate) fn content(&self) -> &str {
        self.content.get_or_init(|| {
            let line = self.raw.trim_end_matches(['\n', '\r']);
            quoted(line, '"').and_then(|inner| csv(inner, '"')).unwrap_or(Cow::Borrowed(line))
        })
    }

    /// The quote that each line of a plan stands in whose first line is this, which `following` follow; `None` where there is none.
    pub(crate) fn quote(&self, following: &[Self]) -> Option<char> {
        ['"', '\''].into_iter().find(|quote| {
            let rest = || following.iter().map(|row| row.without(*quote).trim()).filter(|text| !text.is_empty());
            let line = self.raw.trim_end();
            quoted(line, *quote).is_some_and(|inner| begins::begins(inner.trim(), rest))
                || listed(line, *quote).is_some_and(|inner| begins::begins(inner.trim(), rest))
        })
    }

    /// The line without this quote around it, which those within may double.
    pub(crate) fn without(&self, quote: char) -> &str {
        let (of, line) = self.unquoted.get_or_init(|| {
            let line = self.raw.trim_end_matches(['\n', '\r']);
            let inner = quoted(line, quote).map(|inner| csv(inner, quote).unwrap_or(Cow::Borrowed(inner)));
            // Python chooses the quote by what is within.
            let others = || ['"', '\''].into_iter().find_map(|quote| listed(line, quote));
            let inner = inner.or_else(|| line.trim_start().starts_with(['(', '[']).then(others).flatten());
            (quote, inner.unwrap_or(Cow::Borrowed(line)))
        });
        if *of == quote { line } else { self.content() }
    }
}

/// What stands in quotes, which a comma may follow.
fn quoted(line: &str, quote: char) -> Option<&str> {
    let inner = line::unindented(line).strip_prefix(quote)?;
    inner.trim_end().trim_end_matches([',', ';']).strip_suffix(quote)
}

/// What stands in quotes in a list or tuple of its own, as programs print rows: `("..",)`, `['..'],`.
fn listed(line: &str, quote: char) -> Option<Cow<'_, str>> {
    let inner = line::unindented(line).trim_start_matches(['[', '(']);
    let inner = inner.strip_prefix(quote)?;
    let inner = inner.trim_end().trim_end_matches([',', ')', ']']).strip_suffix(quote)?;
    let mut plain = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => plain.extend(rest.next()),
            c if c == quote => return None,
            c => plain.push(c),
        }
    }
    Some(Cow::Owned(plain))
}

/// The text without the doubling of each quote in it; `None` where they are not doubled. An empty text is two quotes, too, of which
/// one would be left.
fn csv(inner: &str, quote: char) -> Option<Cow<'_, str>> {
    if !inner.contains(quote) {
        return Some(Cow::Borrowed(inner));
    }
    let double: String = [quote, quote].iter().collect();
    if inner.replace(&double, "").contains(quote) {
        return None;
    }
    let single = inner.replace(&double, &quote.to_string());
    single.matches(quote).count().is_multiple_of(2).then_some(Cow::Owned(single))
}

/// The lines of cleaned text.
pub(crate) fn lines(text: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut begin = 0;
    for raw in text.split_inclusive('\n') {
        rows.push(Row::of(begin, raw));
        begin += raw.len();
    }
    rows
}
