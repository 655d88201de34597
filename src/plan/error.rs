//! Why a plan cannot be read.

use super::json::tokens::Fault;

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("the JSON ends in the middle, at line {0}: it was cut off")]
    CutJson(usize),
    #[error("it is not JSON: line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("line {0}: something follows the JSON")]
    MoreThanJson(usize),
    #[error("the JSON is nested too deeply")]
    Nesting,
    #[error("the JSON is too large for a plan")]
    Size,
    #[error("the plan's {place} is not {expected}")]
    Shape { place: String, expected: &'static str },
    #[error("the plan is more than {0} nodes deep")]
    Depth(usize),
    #[error("line {line}: {cause}")]
    At { line: usize, cause: Box<Error> },
    #[error("{message}")]
    Pasted { message: String, hint: Option<&'static str> },
}

impl Kind {
    /// What keeps the JSON that begins at byte `from` of `text` from being read.
    pub(crate) fn json(fault: Fault, text: &str, from: usize) -> Self {
        match fault {
            Fault::Cut => Self::CutJson(line(text, text.trim_end().len())),
            Fault::Syntax(at) => {
                let before = text.get(..from + at).unwrap_or(text);
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                Self::Syntax { line: line(text, from + at), column }
            }
            Fault::Depth => Self::Nesting,
            Fault::Size => Self::Size,
        }
    }
}

impl Kind {
    /// The same with lines counted from `first`.
    pub(crate) fn in_lines(self, first: usize) -> Error {
        let more = first - 1;
        Error(match self {
            Self::CutJson(line) => Self::CutJson(line + more),
            Self::Syntax { line, column } => Self::Syntax { line: line + more, column },
            other => other,
        })
    }
}

impl Error {
    /// The same of the plan that begins at this line.
    pub(crate) fn at(self, line: usize) -> Self {
        Self(Kind::At { line, cause: Box::new(self) })
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.0 {
            Kind::Pasted { hint, .. } => *hint,
            Kind::CutJson(_) => Some("copy all of it, from the first `[` to the last `]`"),
            Kind::Syntax { .. } => Some("give the JSON as EXPLAIN printed it, unchanged, or EXPLAIN's text"),
            Kind::MoreThanJson(_) => Some("give the JSON alone, from the first `[` to the last `]`"),
            Kind::Nesting => Some("give the JSON as EXPLAIN printed it, without what stands around it"),
            Kind::Size => Some("cut it to the plans that matter"),
            Kind::Shape { .. } => Some("give the JSON of EXPLAIN (FORMAT JSON), unchanged"),
            Kind::Depth(_) => Some("give the plan of a part of the statement"),
            Kind::At { cause, .. } => cause.hint(),
        }
    }
}

/// The line of the text's byte `at`, from 1.
pub(crate) fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
