//! What collectors, mails and listings put before each line: `db-1  | `, `Nov 30 10:00:00 db postgres[77]: [5-2] `, `> `, `12 `.
//!
//! The text before a line that can only be one of a plan is a prefix where another line has the same before it, numbers aside. Nothing
//! is known of any program. Lines of several prefixes, as of containers that log side by side, are parted: each is a text of its own, in
//! which those of the others are empty, so that lines keep their numbers.

use std::collections::HashSet;

use crate::plan::text::{label, line};

/// Prefixes that are looked for in one text.
const MOST: usize = 8;
/// Bytes of the longest prefix.
const LONGEST: usize = 300;

/// A prefix: what is the same before each line.
#[derive(Debug, Clone, PartialEq)]
struct Prefix(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// Digits and dots: of a time, a counter, an address.
    Number,
    /// One or more, or none at the begin.
    Space,
    Is(char),
}

/// The texts of the lines of each prefix, without it, and of those without one; the text itself where no prefix is seen.
pub(crate) fn part(text: String) -> Vec<String> {
    let prefixes = prefixes(&text);
    if prefixes.is_empty() {
        return vec![text];
    }
    let mut parts = vec![String::with_capacity(text.len()); prefixes.len() + 1];
    let counted: Vec<Option<HashSet<usize>>> =
        prefixes.iter().map(|prefix| prefix.is_counter().then(|| counted(prefix, &text))).collect();
    let of =
        |line| prefixes.iter().enumerate().find_map(|(at, prefix): (usize, &Prefix)| Some((at, prefix.strip(line)?)));
    let width = |line: &str| line.trim_end().chars().count();
    let widest = text.lines().filter(|line| of(line).is_some()).map(width).max().unwrap_or(0);
    // The part that the line above belongs to, and its width: what did not fit has no prefix.
    let mut above = (prefixes.len(), 0);
    for (number, line) in text.lines().enumerate() {
        let word = line.split_whitespace().next().map_or(0, |word| word.chars().count());
        let is_rest = word > 0
            && above.0 < prefixes.len()
            && (above.1 + 1 + word > widest || line::is_statement_line(line.trim()));
        let found = of(line).filter(|(at, _)| counted[*at].as_ref().is_none_or(|counted| counted.contains(&number)));
        let (at, rest) = found.unwrap_or((if is_rest { above.0 } else { prefixes.len() }, line));
        above = (at, width(line));
        for (of, part) in parts.iter_mut().enumerate() {
            if of == at {
                part.push_str(rest);
            }
            part.push('\n');
        }
    }
    parts
}

/// The prefixes of lines that can only be those of a plan, if at least one more line has the same.
fn prefixes(text: &str) -> Vec<Prefix> {
    let mut once: Vec<Prefix> = Vec::new();
    let mut found: Vec<Prefix> = Vec::new();
    for line in text.lines() {
        let Some(before) = before_plan(line) else { continue };
        let prefix = Prefix::of(before);
        if found.contains(&prefix) {
            continue;
        }
        match once.iter().position(|other| *other == prefix) {
            Some(_) => found.push(prefix),
            None if once.len() < MOST => once.push(prefix),
            None => {}
        }
        if found.len() >= MOST {
            break;
        }
    }
    // One line of a plan may be alone with its sign, and its details have none. Brackets may hold a counter, too.
    let is_of_many = |prefix: &Prefix| text.lines().filter(|line| prefix.strip(line).is_some()).count() > 1;
    for prefix in once {
        let prefix = if is_of_many(&prefix) { prefix } else { prefix.counting() };
        if !found.contains(&prefix) && is_of_many(&prefix) {
            found.push(prefix);
        }
    }
    found
}

/// What stands before the line of a node, or before a key of its JSON, if it may be a prefix.
fn before_plan(line: &str) -> Option<&str> {
    let trimmed = line::unindented(line);
    // A bracket may be that of a time, and of JSON.
    let is_array = trimmed.strip_prefix('[').is_some_and(|inner| !inner.starts_with(|c: char| c.is_alphanumeric()));
    if is_array || trimmed.starts_with(['{', '"', '\'']) || trimmed.starts_with("->") {
        return None;
    }
    let at = match label::MEASURES.iter().filter_map(|measure| trimmed.find(measure)).min() {
        Some(measures) => {
            let name = &trimmed[..measures];
            match name.find("->") {
                Some(arrow) => arrow,
                None => node_in(name)?,
            }
        }
        // With COSTS off an arrow is the only sign.
        None => match trimmed.find("->").filter(|arrow| label::is_node(trimmed[arrow + 2..].trim())) {
            Some(arrow) => arrow,
            None => ["\"Plan\": {", "\"Node Type\": \""].iter().filter_map(|key| trimmed.find(key)).min()?,
        },
    };
    // The line itself may stand in quotes, or be a row of a list.
    let before = trimmed.get(..at)?.trim_end().trim_end_matches(['[', '(', '"', '\'']).trim_end();
    let is_prefix = !before.is_empty()
        && before.len() <= LONGEST
        && before.contains(|c: char| !c.is_alphabetic() && !c.is_whitespace())
        && !before.contains(['{', '"', '\\']);
    is_prefix.then_some(before)
}

/// Where in the text before its measures the name of a node begins.
fn node_in(name: &str) -> Option<usize> {
    let begins = |at: &usize| {
        let before = name[..*at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '"') && label::is_node(&name[*at..])
    };
    name.char_indices().filter(|(_, c)| c.is_ascii_uppercase()).map(|(at, _)| at).find(begins)
}

impl Prefix {
    fn of(before: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = before.trim_start();
        while let Some(c) = rest.chars().next() {
            // The number of a process tells its lines from those of others.
            let process = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')).map(|(number, _)| number);
            let length = if process.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
                let length = process.map_or(0, str::len) + 2;
                parts.extend(rest[..length].chars().map(Part::Is));
                length
            } else if c.is_ascii_digit() {
                parts.push(Part::Number);
                number(rest)
            } else if c.is_whitespace() {
                parts.push(Part::Space);
                rest.len() - rest.trim_start().len()
            } else {
                parts.push(Part::Is(c));
                c.len_utf8()
            };
            rest = &rest[length..];
        }
        Self(parts)
    }

    /// The same with any numbers in brackets.
    fn counting(self) -> Self {
        let mut parts = Vec::with_capacity(self.0.len());
        let mut is_within = false;
        for part in self.0 {
            match part {
                Part::Is(c) if c.is_ascii_digit() && is_within => {
                    if parts.last() != Some(&Part::Number) {
                        parts.push(Part::Number);
                    }
                }
                part => {
                    is_within = part == Part::Is('[');
                    parts.push(part);
                }
            }
        }
        Self(parts)
    }

    /// Whether it is but the number of the line: what is broken off from another may begin with a number, too.
    fn is_counter(&self) -> bool {
        self.0 == [Part::Number]
    }

    /// What follows the prefix in a line that has it.
    fn strip<'l>(&self, line: &'l str) -> Option<&'l str> {
        let mut rest = line::unindented(line);
        for part in &self.0 {
            rest = match part {
                Part::Is(c) => rest.strip_prefix(*c)?,
                Part::Number => match number(rest) {
                    0 => return None,
                    length => &rest[length..],
                },
                Part::Space => match rest.trim_start() {
                    // The line itself may be empty.
                    trimmed if trimmed.len() == rest.len() && !rest.is_empty() => return None,
                    trimmed => trimmed,
                },
            };
        }
        Some(rest)
    }
}

/// The lines that count on. What is broken off from one may begin with the number that is next, too: it is followed by the
/// line of that number.
fn counted(prefix: &Prefix, text: &str) -> HashSet<usize> {
    let mut lines: Vec<usize> = Vec::new();
    let mut last: Option<u64> = None;
    for (at, line) in text.lines().enumerate() {
        let digits = line.trim_start().split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let Some(number) = digits.parse::<u64>().ok().filter(|_| prefix.strip(line).is_some()) else { continue };
        if last.is_none_or(|last| last.checked_add(1) == Some(number)) {
            lines.push(at);
            last = Some(number);
        } else if last == Some(number) {
            lines.pop();
            lines.push(at);
        }
    }
    lines.into_iter().collect()
}

/// Length of the number that the text begins with.
fn number(text: &str) -> usize {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    if text.starts_with('.') { 0 } else { digits }
}
