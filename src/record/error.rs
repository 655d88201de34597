//! Why a record could not be written or read.

use std::{error, fmt};

use crate::text::Field;

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// What a failure means for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What would be written is there already; nothing is ever overwritten.
    Exists,
    /// What should be read is not there.
    Missing,
    /// What was read is no record that this build reads: cut off, foreign or of a newer format.
    Unreadable,
    /// The file system refused.
    Io,
}

/// What was tried and with which file or folder, why it failed, and a way out where one is known.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    fields: Vec<Field>,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, fields: Vec::new(), source: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The fields of the request that its words name.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Names the fields of the request that the words name.
    #[must_use]
    pub(super) fn about(mut self, fields: &[Field]) -> Self {
        self.fields.extend(fields);
        self
    }

    pub(super) fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it means for the caller.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn error::Error + 'static))
    }
}
