//! Why the managed server could not be found, started, reached or stopped.

use std::{error, fmt, io, path::Path};

use crate::text::Field;

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong with the managed server, in words, and the way out where one is known.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
    fields: Vec<Field>,
    source: Option<io::Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    Interrupted,
}

impl Error {
    /// The machine or PostgreSQL failed; `message` is a lower-case fragment that names the place.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, message: message.into(), hint: None, fields: Vec::new(), source: None }
    }

    /// What was asked for cannot be done as asked.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, ..Self::failed(message) }
    }

    /// The caller's token was cancelled while `doing`.
    pub(super) fn interrupted(doing: &str) -> Self {
        Self { kind: Kind::Interrupted, ..Self::failed(format!("interrupted while {doing}")) }
    }

    /// A file operation failed: `doing` names it, `path` is where.
    pub(super) fn io(doing: &str, path: &Path, cause: io::Error) -> Self {
        let hint = match cause.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Some(format!("make it writable for the user who runs latclinic, or {}", CHOOSE_ANOTHER_FOLDER))
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Some(format!("free some space there, or {}", CHOOSE_ANOTHER_FOLDER))
            }
            io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotFound
            | io::ErrorKind::InvalidFilename => Some(CHOOSE_ANOTHER_FOLDER.to_owned()),
            _ => None,
        };
        let message = format!("cannot {doing} {}", path.display());
        let fields = Vec::from([Field::DataDir]);
        Self { kind: Kind::Failed, message, hint, fields, source: Some(cause) }
    }

    /// Adds the way out.
    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds as the way out `first`, where there is one, and another data folder.
    #[must_use]
    pub(super) fn or_elsewhere(self, first: &str) -> Self {
        let first = if first.is_empty() { String::new() } else { format!("{first}, or ") };
        self.with_hint(format!("{first}{CHOOSE_ANOTHER_FOLDER}")).about(&[Field::DataDir])
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

    /// Adds the cause.
    #[must_use]
    pub(super) fn with_source(mut self, source: io::Error) -> Self {
        self.source = Some(source);
        self
    }

    /// The cause, where the system gave one.
    pub fn into_cause(self) -> Option<io::Error> {
        self.source
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether what was asked for cannot be done as asked.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Whether the caller told it to stop.
    pub fn is_interrupted(&self) -> bool {
        self.kind == Kind::Interrupted
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn error::Error + 'static))
    }
}

/// The way out of every trouble with the data folder.
const CHOOSE_ANOTHER_FOLDER: &str = "choose another folder with `data_dir` or LATCLINIC_DATA_DIR";
