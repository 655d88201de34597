//! Takes away what programs print around the lines of a plan.

use std::{borrow::Cow, cell::OnceCell};

use super::{Error, Kind};

/// Brackets and spaces before the first key of a plan.
const MAX_SPACE: usize = 100;

/// The input as text: UTF-8, or UTF-16 with a byte order mark, as PowerShell writes it.
pub(super) fn decode(input: &[u8]) -> Result<Cow<'_, str>, Error> {
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

/// The text without line ends of other systems, borders of tables, marks of continued lines, fences and quotes of mails. Lines stay lines.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for line in text.lines() {
        cleaned.push_str(bare(line));
        cleaned.push('\n');
    }
    cleaned
}

fn bare(line: &str) -> &str {
    // Most lines of large inputs are JSON as it is.
    let bytes = line.as_bytes();
    if let (Some(first), Some(last)) = (bytes.iter().find(|byte| **byte != b' '), bytes.last())
        && b"\"{}[]".contains(first)
        && (last.is_ascii_graphic() && !b"+|".contains(last))
    {
        return line;
    }
    let border = ['│', '┃', '║', '|'];
    let mut line = line.trim_end();
    if line.starts_with("```") {
        return "";
    }
    while let Some(quoted) = line.strip_prefix("> ") {
        line = quoted;
    }
    // psql marks a line that goes on in the same cell.
    let unmarked = |line: &str| line.strip_suffix(['+', '↵']).map(str::trim_end).map(str::len);
    if let Some(inner) = line.strip_suffix(border) {
        line = inner.trim_end();
    }
    if let Some(length) = unmarked(line) {
        line = &line[..length];
        line = line.strip_suffix(border).map_or(line, str::trim_end);
    }
    // Expanded output has the column's name before the first line, and nothing before the others.
    let inner = line.strip_prefix("QUERY PLAN").unwrap_or(line);
    match inner.trim_start().strip_prefix(border) {
        Some(inner) => inner,
        None => line,
    }
}

/// A line of cleaned text.
#[derive(Debug)]
pub(super) struct Row<'t> {
    /// Its first byte in the text.
    pub(super) begin: usize,
    /// As it stands there.
    pub(super) raw: &'t str,
    /// Most lines are those of JSON, which need none.
    content: OnceCell<(usize, Cow<'t, str>)>,
}

impl<'t> Row<'t> {
    /// Spaces and tabs before it.
    pub(super) fn indent(&self) -> usize {
        self.content.get_or_init(|| self.content()).0
    }

    /// The line without them, and without the quotes of a row of CSV.
    pub(super) fn text(&self) -> &str {
        &self.content.get_or_init(|| self.content()).1
    }

    fn content(&self) -> (usize, Cow<'t, str>) {
        let line = self.raw.trim_end();
        let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
        let text = line[spaces..].trim_start();
        let inner = text.strip_prefix('"').and_then(|line| {
            let line = line.trim_end_matches(',').strip_suffix('"')?;
            // A quote within is doubled in CSV; in a text of JSON it is no row.
            (!line.replace("\"\"", "").contains('"')).then_some(line)
        });
        let blank = |line: &str| line.chars().take_while(|c| c.is_whitespace()).count();
        match inner {
            None => (spaces + blank(&line[spaces..]), Cow::Borrowed(text)),
            Some(line) if line.contains("\"\"") => (blank(line), Cow::Owned(line.trim_start().replace("\"\"", "\""))),
            Some(line) => (blank(line), Cow::Borrowed(line.trim_start())),
        }
    }
}

/// The lines of cleaned text.
pub(super) fn lines(text: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut begin = 0;
    for raw in text.split_inclusive('\n') {
        rows.push(Row { begin, raw, content: OnceCell::new() });
        begin += raw.len();
    }
    rows
}

/// Whether the line ends a plan whatever its indentation: psql's count of rows.
pub(super) fn ends_plan(line: &str) -> bool {
    let count = line.strip_prefix('(').and_then(|line| line.strip_suffix(" rows)").or(line.strip_suffix(" row)")));
    count.is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `12.345 ms  plan:`.
pub(super) fn milliseconds(text: &str) -> Option<f64> {
    let (number, _) = text.split_once(" ms")?;
    number.parse().ok().filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)
}

/// The content of the quoted text that the bracket at `begin` stands in, where quotes in it are doubled, as in CSV, or escaped, as in a text
/// of JSON; and the byte after it.
pub(super) fn unescape(text: &str, begin: usize) -> Option<(String, usize)> {
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
