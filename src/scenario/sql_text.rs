//! SQL with the place that it is from.

use serde::Serialize;

/// SQL text and where a person finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlText {
    /// File, or file and key, as shown to a person.
    pub source: String,
    /// All of the text.
    pub text: String,
    /// The statements in it, in order.
    pub statements: Vec<SqlStatement>,
}

impl SqlText {
    /// The statement of a text that has one; the text itself where it was not taken apart.
    pub fn only(&self) -> &str {
        self.statements.first().map_or(self.text.as_str(), |statement| statement.text.as_str())
    }

    /// Line of its first statement, from 1.
    pub fn line(&self) -> usize {
        self.statements.first().map_or(1, |statement| statement.line)
    }
}

/// One statement of an SQL text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlStatement {
    /// Without the closing semicolon and surrounding space.
    pub text: String,
    /// Line of its first token in [`SqlText::text`], from 1.
    pub line: usize,
}
