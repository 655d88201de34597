//! Plans in what people paste: as psql, auto_explain's log and clients print them, in JSON and text, with what stands around them.
//!
//! What is JSON from end to end is read as such. Anything else is read from its begin to its end: what was tried as JSON there is not
//! tried again.

use std::cell::OnceCell;

use super::{broken_json, clean, foreign, prefix, row, secrets};
use crate::plan::{
    damage::Damage,
    error::{Error, Kind},
    json::tokens::{Fault, Tape, Token},
    model::Plan,
    text::{begins, line::Line, read},
};

/// Bytes of the largest input that is read.
pub const MAX_BYTES: usize = 128 * 1024 * 1024;
/// Plans in texts in JSON in texts are looked for as deep as this.
const MAX_WRAPPINGS: usize = 3;

/// Lines above a plan that may hold what is damaged of it.
const MOST_ABOVE: usize = 40;

/// A plan and where it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct PastedPlan {
    /// The line of the input that it begins at, from 1.
    pub line: usize,
    /// The plan.
    pub plan: Plan,
    /// What was damaged in it and put right.
    pub damage: Damage,
}

/// Reads all plans of an input, in its order: at least one.
///
/// # Errors
/// There is none, one was cut off or cannot be read, the input is no text, or larger than [`MAX_BYTES`]. The message names the line, and
/// the format where it is another system's or one that is not read.
pub fn read_plans(input: &[u8]) -> Result<Vec<PastedPlan>, Error> {
    if input.len() > MAX_BYTES {
        return Err(too_large());
    }
    let text = clean::decode(input)?;
    let mut plans = Vec::new();
    all_json(&text, &mut plans)?;
    if plans.is_empty() {
        find(&text, 1, 0, &mut plans)?;
    }
    if plans.is_empty() { Err(foreign::no_plan(&text)) } else { Ok(plans) }
}

/// What is said of an input beyond [`MAX_BYTES`].
pub fn too_large() -> Error {
    let message = format!("the input is larger than {} MiB", MAX_BYTES / 1024 / 1024);
    Kind::Pasted { message, hint: Some("cut it to the plans that matter") }.into()
}

/// What stands before a plan and belongs to it.
#[derive(Debug, Default)]
struct Before {
    query: Option<String>,
    duration_ms: Option<f64>,
}

/// Adds the plans of a text that is one value of JSON, which has nothing around it to take away.
fn all_json(text: &str, plans: &mut Vec<PastedPlan>) -> Result<(), Error> {
    let json = text.trim_start();
    let before = &text[..text.len() - json.len()];
    if json.starts_with(['[', '{'])
        && let Ok((tape, length)) = Tape::read(json)
        && json[length..].trim_start().is_empty()
    {
        let number = 1 + before.matches('\n').count();
        Scan { text, wrappings: 0, before: Before::default(), is_mysql: OnceCell::new(), plans }.tape(&tape, number)?;
    }
    Ok(())
}

/// Adds the plans of `text`, whose first line is that of this number.
fn find(text: &str, first: usize, wrappings: usize, plans: &mut Vec<PastedPlan>) -> Result<(), Error> {
    let begin = plans.len();
    for part in prefix::part(clean::clean(text)) {
        find_in(&part, first, wrappings, plans)?;
    }
    plans[begin..].sort_by_key(|plan| plan.line);
    Ok(())
}

/// Whether lines of a plan, broken or not, are among these.
fn are_of_plan<'l>(lines: impl Iterator<Item = &'l str>) -> bool {
    let mut all = String::new();
    for line in lines {
        if line.ends_with("->") {
            return true;
        }
        begins::squeeze(&mut all, line);
    }
    ["(cost=", "(actualtime=", "(actualrows="].iter().any(|sign| all.contains(sign))
}

/// The same of cleaned text without prefixes.
fn find_in(text: &str, first: usize, wrappings: usize, plans: &mut Vec<PastedPlan>) -> Result<(), Error> {
    let mut scan = Scan { text, wrappings, before: Before::default(), is_mysql: OnceCell::new(), plans };
    let lines = row::lines(text);
    let mut at = 0;
    // The line after the last plan.
    let mut end = 0;
    // Byte from which nothing has been read.
    let mut from = 0;
    while let Some(here) = lines.get(at) {
        let number = first + at;
        if here.begin >= from {
            if let Some(read) = scan.text_plan(&lines[at..], number)? {
                let above = &lines[end.max(at.saturating_sub(MOST_ABOVE))..at];
                if are_of_plan(above.iter().map(row::Row::text)) {
                    return Err(foreign::first_line_missing(number));
                }
                at += read;
                end = at;
                continue;
            }
            if let Some(read) = scan.note(&lines[at..]) {
                at += read;
                continue;
            }
            if let Some(unescaped) = clean::unescaped_lines(here.raw).filter(|_| wrappings < MAX_WRAPPINGS) {
                let beside = |at: usize| lines.get(at).map(|row| row.raw);
                if clean::is_broken_text(here.raw, [at.checked_sub(1).and_then(beside), beside(at + 1)]) {
                    return Err(foreign::broken_text(number));
                }
                scan.within(&unescaped, number)?;
                at += 1;
                continue;
            }
        }
        from = from.max(here.begin);
        let begin = here.raw.get(from - here.begin..).and_then(|rest| rest.find(['[', '{']));
        match begin.map(|begin| from + begin) {
            Some(begin) => from = scan.json(begin, number)?.max(begin + 1),
            None => at += 1,
        }
    }
    Ok(())
}

struct Scan<'s> {
    text: &'s str,
    wrappings: usize,
    before: Before,
    is_mysql: OnceCell<bool>,
    plans: &'s mut Vec<PastedPlan>,
}

impl Scan<'_> {
    /// Reads the text plan that begins at the first of `lines`, the line of this number; gives the number of lines, or `None` where no
    /// plan begins.
    fn text_plan(&mut self, lines: &[row::Row<'_>], number: usize) -> Result<Option<usize>, Error> {
        let here = &lines[0];
        if let Some(quote) = here.quote(&lines[1..]) {
            return self.text_plan_of(lines.iter().map(|row| row.without(quote)), number).map(Some);
        }
        let following = || lines[1..].iter().map(row::Row::text).filter(|text| !text.is_empty());
        if !begins::begins(here.text(), following) || (here.text().starts_with("->") && self.is_mysql()) {
            return Ok(None);
        }
        self.text_plan_of(lines.iter().map(row::Row::content), number).map(Some)
    }

    fn text_plan_of<'l>(
        &mut self,
        contents: impl Iterator<Item = &'l str> + Clone,
        number: usize,
    ) -> Result<usize, Error> {
        let mut rows = contents.zip(number..).map(|(content, number)| Line::new(number, content));
        let Some(first) = rows.next() else { return Ok(1) };
        let read = read::read(first, rows.take_while(|line| !clean::ends_plan(line.text)))?;
        self.add(number, read.plan, read.damage);
        Ok(read.lines)
    }

    fn is_mysql(&self) -> bool {
        *self.is_mysql.get_or_init(|| foreign::is_mysql(self.text))
    }

    /// Adds the plans of a text that stands in the line of this number.
    fn within(&mut self, text: &str, number: usize) -> Result<(), Error> {
        let begin = self.plans.len();
        find(text, 1, self.wrappings + 1, self.plans)?;
        for plan in &mut self.plans[begin..] {
            plan.line = number;
        }
        Ok(())
    }

    /// Takes what a line says of the plan that follows; gives the number of lines where they hold no plan.
    fn note(&mut self, lines: &[row::Row<'_>]) -> Option<usize> {
        let line = lines[0].text();
        if let Some((_, rest)) = line.split_once("duration: ") {
            self.before = Before { query: None, duration_ms: clean::milliseconds(rest) };
        }
        let mut query = line.strip_prefix("Query Text: ")?.to_owned();
        let mut read = 1;
        for (at, row) in lines.iter().enumerate().skip(1) {
            let next = || lines[at + 1..].iter().map(row::Row::text).filter(|text| !text.is_empty());
            if row.indent() == 0
                || row.text().starts_with(['[', '{'])
                || row.text().starts_with("Query Parameters: ")
                || begins::begins(row.text(), next)
            {
                break;
            }
            query.push('\n');
            query.push_str(row.text());
            read += 1;
        }
        self.before.query = Some(query);
        Some(read)
    }

    /// Looks for plans in the JSON that begins at byte `begin`, in the line of this number; gives the byte from which nothing has been
    /// read.
    fn json(&mut self, begin: usize, number: usize) -> Result<usize, Error> {
        if let Some((unescaped, end)) = clean::unescape(self.text, begin) {
            if self.wrappings < MAX_WRAPPINGS {
                find(&unescaped, number, self.wrappings + 1, self.plans)?;
            }
            return Ok(end);
        }
        let rest = &self.text[begin..];
        let is_plan = |text: &str| text.contains("\"Plan\"") || text.contains("\"Node Type\"");
        match Tape::read(rest) {
            Ok((tape, length)) => {
                self.tape(&tape, number)?;
                Ok(begin + length)
            }
            Err(Fault::Syntax(after)) if !is_plan(&rest[..after]) => Ok(begin + after),
            // All that follows is JSON, without a plan.
            Err(Fault::Cut | Fault::Depth | Fault::Size) if !is_plan(rest) => Ok(self.text.len()),
            Err(fault) => {
                let joined = broken_json::Joined::of(rest);
                if let Ok((tape, length)) = Tape::read(&joined.text) {
                    self.tape(&tape, number)?;
                    return Ok(begin + joined.place(length));
                }
                match self.next_entry(begin) {
                    Some(next) => Ok(next),
                    None => Err(Kind::json(fault, rest, 0).in_lines(number)),
                }
            }
        }
    }

    /// Of a log that was cut off, or lost a part, within a plan the byte from which its next entry is read; `None` if it is no log, or has
    /// no plan before.
    fn next_entry(&mut self, begin: usize) -> Option<usize> {
        self.before.duration_ms.take()?;
        self.plans.last_mut()?.damage.is_followed_by_cut = true;
        let next = self.text[begin..].find("duration: ").map(|next| begin + next);
        Some(
            next.and_then(|next| self.text[..next].rfind('\n')).filter(|next| *next > begin).unwrap_or(self.text.len()),
        )
    }

    /// Adds the plans of a JSON value: those of objects that hold one, or those in its texts.
    fn tape(&mut self, tape: &Tape<'_>, number: usize) -> Result<(), Error> {
        let before = self.plans.len();
        let mut at = 0;
        while at < tape.tokens().len() {
            let mut next = at + 1;
            if let Token::Object(end) = tape.token(at) {
                let is_object = |at: usize| matches!(tape.token(at), Token::Object(_));
                let is_statement = tape.member(at, "Plan").is_some_and(is_object);
                let is_node = tape.member(at, "Node Type").is_some();
                if is_statement || is_node {
                    let plan = if is_statement { Plan::of_statement(tape, at) } else { Plan::of_node(tape, at) };
                    let plan = plan.map_err(|error| error.at(number))?;
                    self.add(number, plan, Damage { is_fragment: !is_statement, ..Damage::default() });
                    next = *end;
                }
            }
            at = next;
        }
        if self.plans.len() > before || self.wrappings >= MAX_WRAPPINGS {
            return Ok(());
        }
        let texts = tape.texts();
        self.within(&texts.join("\n"), number)
    }

    fn add(&mut self, line: usize, mut plan: Plan, damage: Damage) {
        let before = std::mem::take(&mut self.before);
        plan.query = plan.query.take().or(before.query).as_deref().map(secrets::hidden);
        if plan.is_analyzed() {
            plan.execution_ms = plan.execution_ms.or(before.duration_ms);
        }
        self.plans.push(PastedPlan { line, plan, damage });
    }
}

#[cfg(test)]
mod tests;
