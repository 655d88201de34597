//! Takes away what programs print around the lines of a plan.

use std::borrow::Cow;

use super::markup;
use crate::plan::{
    error::{Error, Kind},
    text::line,
};

/// Brackets and spaces before the first key of a plan.
const MAX_SPACE: usize = 100;

/// The input as text: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it.
pub(crate) fn decode(input: &[u8]) -> Result<Cow<'_, str>, Error> {
    let wide = |bytes: &[u8], from: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    // The check for whole text is the faster one.
    let lossy = |bytes| str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    let text = match input {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(wide(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(wide(rest, u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => lossy(rest),
        _ => lossy(input),
    };
    // Text may hold a stray byte of another encoding, in a string constant for instance.
    let strange = text.chars().take(100_000).filter(|c| ['\0', char::REPLACEMENT_CHARACTER].contains(c)).count();
    if text.contains('\0') || strange * 20 > text.len().min(100_000) {
        let message = "it is no text: the input is binary".to_owned();
        return Err(Kind::Pasted { message, hint: Some("give EXPLAIN's output, as text or as JSON") }.into());
    }
    Ok(text)
}

/// The text without line ends of other systems, borders of tables, marks of continued lines and fences, and with the characters that
/// programs put in the place of others. Lines stay lines.
pub(crate) fn clean(text: &str) -> String {
    let text = characters(text);
    let text = if !text.contains('\n') && text.contains('\r') { Cow::Owned(text.replace('\r', "\n")) } else { text };
    // Rows as Python prints their list, all in one line.
    let text = if text.contains(",), (") { Cow::Owned(text.replace(",), (", ",),\n(")) } else { text };
    let text = markup::without(&text).map_or(text, Cow::Owned);
    let mut cleaned = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    let mut was_marked = false;
    while let Some(line) = lines.next() {
        // One mark alone is an operator, after which a line was broken.
        let is_marked = ends_marked(line);
        let among_others = was_marked || lines.peek().is_some_and(|next| is_marked && ends_marked(next));
        cleaned.push_str(bare(line, is_marked && among_others));
        cleaned.push('\n');
        was_marked = is_marked;
    }
    cleaned
}

/// Borders of tables.
const BORDER: [char; 4] = ['│', '┃', '║', '|'];

/// Whether the line ends as psql marks one that goes on in the same cell.
fn ends_marked(line: &str) -> bool {
    let line = line.trim_end();
    line.ends_with(['+', '↵']) || line.strip_suffix(BORDER).is_some_and(|inner| inner.trim_end().ends_with(['+', '↵']))
}

/// Characters that stand for others: of terminals, word processors, web pages and syslog.
fn characters(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains([
        '\u{1b}', '\u{a0}', '\u{200b}', '\u{2028}', '“', '”', '‘', '’', '→', '\u{2007}', '\u{202f}', '\u{feff}',
    ]) {
        let mut plain = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                // A sequence that colours what follows.
                '\u{1b}' => drop(rest.find(char::is_ascii_alphabetic)),
                '\u{a0}' | '\u{2007}' | '\u{202f}' => plain.push(' '),
                '\u{200b}' | '\u{feff}' => {}
                '\u{2028}' => plain.push('\n'),
                '“' | '”' => plain.push('"'),
                '‘' | '’' => plain.push('\''),
                '→' => plain.push_str("->"),
                c => plain.push(c),
            }
        }
        text = Cow::Owned(plain);
    }
    if let Some(decoded) = markup::decoded(&text) {
        text = Cow::Owned(decoded);
    }
    if text.contains("#011") {
        text = Cow::Owned(text.replace("#011", "\t").replace("#015", ""));
    }
    text
}

fn bare(line: &str, is_marked: bool) -> &str {
    // Most lines of large inputs are JSON as it is.
    let bytes = line.as_bytes();
    if let (Some(first), Some(last)) = (bytes.iter().find(|byte| **byte != b' '), bytes.last())
        && b"\"{}[]".contains(first)
        && (last.is_ascii_graphic() && !b"+|".contains(last))
    {
        return line;
    }
    let mut line = line.trim_end();
    if line.starts_with("```") {
        return "";
    }
    if let Some(inner) = line.strip_suffix(BORDER) {
        line = inner.trim_end();
    }
    if let Some(inner) = line.strip_suffix(['+', '↵']).filter(|_| is_marked) {
        line = inner.trim_end();
        line = line.strip_suffix(BORDER).map_or(line, str::trim_end);
    }
    // Expanded output has the column's name before the first line, and nothing before the others.
    let inner = line.strip_prefix("QUERY PLAN").unwrap_or(line);
    match line::unindented(inner).strip_prefix(BORDER) {
        Some(inner) => inner,
        None => line,
    }
}

/// Whether the line ends a plan whatever its indentation: psql's count of rows, in any language.
pub(crate) fn ends_plan(line: &str) -> bool {
    let inner = line.strip_prefix('(').and_then(|line| line.strip_suffix(')'));
    inner.and_then(|inner| inner.split_once(' ')).is_some_and(|(count, word)| {
        count.bytes().all(|byte| byte.is_ascii_digit()) && !count.is_empty() && word.chars().all(char::is_alphabetic)
    })
}

/// `12.345 ms  plan:`.
pub(crate) fn milliseconds(text: &str) -> Option<f64> {
    let (number, _) = text.split_once(" ms")?;
    number.parse().ok().filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)
}

/// Whether a text of such a line is broken: it does not end in the line, or goes on from or in `others`, those beside it.
pub(crate) fn is_broken_text(line: &str, others: [Option<&str>; 2]) -> bool {
    let mut escaped = false;
    let quotes = line.chars().filter(|c| {
        let is_quote = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        is_quote
    });
    match quotes.count() {
        0 => others.into_iter().flatten().any(|other| other.contains("\\n")),
        quotes => quotes % 2 == 1,
    }
}

/// A line whose text has its line ends, tabs and quotes escaped, as programs log it, with those that are meant; `None` where there are
/// none, or it is JSON.
pub(crate) fn unescaped_lines(line: &str) -> Option<String> {
    let holds = |sign| line.contains(sign);
    let signs = ["(cost=", "(actual ", "Plan\\\"", "\\n  ->  "];
    let is_escaped = holds("\\n") && signs.into_iter().any(holds);
    if !is_escaped || line.trim_start().starts_with(['{', '[', '"']) {
        return None;
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (c, c == '\\') {
            (_, false) => text.push(c),
            _ => match rest.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') | None => {}
                Some(c @ ('"' | '\'' | '\\' | '/')) => text.push(c),
                Some(other) => text.extend(['\\', other]),
            },
        }
    }
    Some(text)
}

/// The content of the quoted text that the bracket at `begin` stands in, where quotes in it are doubled, as in CSV, or escaped, as in a text
/// of JSON; and the byte after it.
pub(crate) fn unescape(text: &str, begin: usize) -> Option<(String, usize)> {
    let rest = &text[begin..];
    // The first quote within a plan stands before its first key.
    let space = rest.bytes().take(MAX_SPACE).take_while(|byte| b" \t\n\r[{\\nrt".contains(byte)).count();
    let quote = rest[space..].starts_with('"').then_some(space)?;
    if rest[..quote].ends_with('\\') {
        let mut content = String::new();
        let mut escaped = false;
        for (at, c) in rest.char_indices() {
            match (escaped, c) {
                (false, '"') => return Some((content, begin + at + 1)),
                (false, '\\') => escaped = true,
                (false, c) => content.push(c),
                (true, c) => {
                    escaped = false;
                    match c {
                        'n' => content.push('\n'),
                        't' => content.push('\t'),
                        'r' => content.push('\r'),
                        '"' | '/' | '\\' => content.push(c),
                        // The JSON within reads it as well.
                        other => content.extend(['\\', other]),
                    }
                }
            }
        }
        return Some((content, text.len()));
    }
    rest[quote..].strip_prefix("\"\"").filter(|key| key.starts_with(|c: char| c.is_alphanumeric()))?;
    let mut content = String::new();
    let mut left = rest;
    loop {
        let Some((part, after)) = left.split_once('"') else {
            content.push_str(left);
            return Some((content, text.len()));
        };
        content.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                content.push('"');
                left = more;
            }
            None => return Some((content, text.len() - after.len())),
        }
    }
}
