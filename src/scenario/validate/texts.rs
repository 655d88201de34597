//! SQL texts: inline or in a file, taken apart, with the places of what is in them.

use std::{io, ops::Range};

use super::{Check, Finding, Node, SCENARIO};
use crate::scenario::{
    faults::SourceId,
    nearest::nearest,
    sql::{self, Split},
    sql_text::SqlText,
};

/// An SQL text and where its bytes stand in which file.
pub(super) struct Text {
    /// The text.
    pub sql: SqlText,
    /// Its statements and placeholders.
    pub split: Split,
    place: Place,
}

/// Where an SQL text stands.
struct Place {
    source: SourceId,
    /// The offset of its first byte in the source, where the text stands there as it is.
    start: Option<usize>,
    /// All of it.
    whole: Range<usize>,
}

impl Place {
    fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Finding {
        let span = self.start.map_or(self.whole.clone(), |start| start + span.start..start + span.end);
        Finding::new(span, message).within(self.source)
    }
}

impl Text {
    /// A fault at some bytes of the text.
    pub(super) fn fault(&self, span: Range<usize>, message: impl Into<String>) -> Finding {
        self.place.fault(span, message)
    }
}

impl Check<'_> {
    /// Statements without parameters, at least one.
    pub(super) fn commands(
        &mut self,
        inline: Option<String>,
        file: Option<String>,
        key: &str,
        section: &str,
        at: &Node<'_>,
    ) -> Option<SqlText> {
        let text = self.text(inline, file, key, section, at)?;
        for (name, span) in &text.split.placeholders {
            let finding = text.fault(span.clone(), format!("`${name}` has no value here"));
            self.faults.push(finding.help("only the statements of the workload take parameters"));
        }
        Some(text.sql)
    }

    /// A single statement.
    pub(super) fn single(
        &mut self,
        inline: Option<String>,
        file: Option<String>,
        key: &str,
        section: &str,
        at: &Node<'_>,
    ) -> Option<Text> {
        let text = self.text(inline, file, key, section, at)?;
        if let Some((_, span)) = text.split.statements.get(1) {
            let message = format!("{} statements", text.split.statements.len());
            self.faults.push(text.fault(span.clone(), message).expected("exactly one"));
        }
        Some(text)
    }

    fn text(
        &mut self,
        inline: Option<String>,
        file: Option<String>,
        key: &str,
        section: &str,
        at: &Node<'_>,
    ) -> Option<Text> {
        let (source, text, place) = match (inline, file) {
            (Some(text), _) => {
                let (name, scenario) = self.faults.scenario();
                let whole = at.get(key).span();
                // With escapes in it the text is not in the file as it is; then its faults are those of all of it.
                let start = scenario.get(whole.clone()).and_then(|raw| raw.find(&text)).map(|at| whole.start + at);
                (format!("{name}: {section}.{key}"), text, Place { source: SCENARIO, start, whole })
            }
            (None, Some(file)) => {
                let text = self.read(&file, &at.get(&format!("{key}_file")))?;
                let name = self.files.display_name(&file);
                let source = self.faults.add_source(&name, &text);
                let whole = 0..text.len();
                (name, text, Place { source, start: Some(0), whole })
            }
            // Which of the two has to be there is in the schema.
            (None, None) => return None,
        };
        let split = match sql::split(&text) {
            Ok(split) => split,
            Err(fault) => {
                self.faults.push(place.fault(fault.span, format!("SQL: {}", fault.message)));
                return None;
            }
        };
        if split.statements.is_empty() {
            self.faults.push(place.fault(0..text.len(), "SQL without a statement"));
            return None;
        }
        let statements = split.statements.iter().map(|(statement, _)| statement.clone()).collect();
        Some(Text { sql: SqlText { source, text, statements }, split, place })
    }

    fn read(&mut self, file: &str, at: &Node<'_>) -> Option<String> {
        let error = match self.files.read(file) {
            Ok(text) if text.contains('\0') => io::Error::new(io::ErrorKind::InvalidData, "a NUL character in it"),
            Ok(text) => return Some(text),
            Err(error) => error,
        };
        let name = self.files.display_name(file);
        let finding = if error.kind() == io::ErrorKind::NotFound {
            let stem = file.rsplit('/').next().unwrap_or(file);
            let siblings = self.files.siblings(file);
            let near = nearest(stem, siblings.iter().map(String::as_str)).map(|near| file.replacen(stem, near, 1));
            let finding = Finding::new(at.span(), format!("no file {name}")).did_you_mean(near.as_deref());
            if near.is_none() { finding.help("paths are relative to the scenario file") } else { finding }
        } else {
            Finding::new(at.span(), format!("cannot read {name}: {error}"))
        };
        self.faults.push(finding);
        None
    }
}
