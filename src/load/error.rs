//! Why a workload cannot be sent.

use crate::{draw, text};

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a workload cannot be sent; the message names the statement and the parameter.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("the workload has no statements")]
    Empty,
    #[error("statement {statement}: the SQL uses {sql}, but the scenario gives {scenario}")]
    Count { statement: String, sql: String, scenario: usize },
    #[error("statement {statement}: the class {class} has {given}, the SQL takes {sql}")]
    ClassCount { statement: String, class: &'static str, given: String, sql: usize },
    #[error("statement {statement}: parameter ${number}: {cause}")]
    Generator { statement: String, number: usize, cause: draw::Error },
    #[error("statement {statement}: parameter ${number}: its query returned no rows")]
    NoValues { statement: String, number: usize },
}

impl Error {
    pub(super) fn empty() -> Self {
        Self { kind: Kind::Empty }
    }

    pub(super) fn count(statement: &str, sql: usize, scenario: usize) -> Self {
        Self {
            kind: Kind::Count { statement: statement.to_owned(), sql: text::counted_or_no(sql, "parameter"), scenario },
        }
    }

    pub(super) fn class_count(statement: &str, class: &'static str, given: usize, sql: usize) -> Self {
        let given = text::counted(given, "value");
        Self { kind: Kind::ClassCount { statement: statement.to_owned(), class, given, sql } }
    }

    pub(super) fn generator(statement: &str, number: usize, cause: draw::Error) -> Self {
        Self { kind: Kind::Generator { statement: statement.to_owned(), number, cause } }
    }

    pub(super) fn no_values(statement: &str, number: usize) -> Self {
        Self { kind: Kind::NoValues { statement: statement.to_owned(), number } }
    }
}
