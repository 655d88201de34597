//! What expressions of a scenario have in common: where a fault of one lies, and what would be valid there.

use std::{fmt, ops::Range};

use super::{nearest::nearest, schema::one_of};

/// Why a text is no threshold, or no gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// Bytes of the text that it is about.
    pub span: Range<usize>,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What is valid there.
    pub expected: Option<String>,
    /// The nearest valid text, if any is near.
    pub nearest: Option<String>,
}

impl ExpressionFault {
    /// A fault with nothing said yet of what would be valid.
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), expected: None, nearest: None }
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(super) fn did_you_mean(mut self, nearest: Option<impl Into<String>>) -> Self {
        self.nearest = nearest.map(Into::into);
        self
    }

    /// The text with a mark under the fault, and what is valid there.
    pub fn render(&self, text: &str) -> String {
        let before = text.get(..self.span.start).unwrap_or(text).chars().count();
        let marked = text.get(self.span.clone()).map_or(1, |marked| marked.chars().count().max(1));
        format!("{self}\n  {text}\n  {}{}", " ".repeat(before), "^".repeat(marked))
    }
}

impl fmt::Display for ExpressionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, ", did you mean `{nearest}`?"))
    }
}

/// A range of the text without the space around what is in it.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

/// The fault of naming, at `start` of a text, an operation that is not among the `known`.
pub(super) fn unknown_operation<'a>(
    name: &str,
    start: usize,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<ExpressionFault> {
    let known: Vec<&str> = known.into_iter().collect();
    if known.contains(&name) {
        return None;
    }
    let fault = ExpressionFault::new(start..start + name.len(), format!("no operation `{name}`"));
    Some(match nearest(name, known.iter().copied()) {
        Some(near) => fault.did_you_mean(Some(near)),
        None => fault.expected(one_of(known)),
    })
}
