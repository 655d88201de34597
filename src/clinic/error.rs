//! Why a use case failed, and what follows from it.

use std::{error, fmt};

use crate::{load, pg, text::Field};

/// What a failure means for the one who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The tool, the database or the machine failed.
    Failed,
    /// What was asked for cannot be done as asked.
    Usage,
    /// A comparison could not be made: data are missing or do not belong together.
    Undecided,
    /// A signal stopped it.
    Interrupted,
}

/// Why a use case failed.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    /// Fields of the request that its words name.
    fields: Vec<Field>,
    /// Whether a connection was lost.
    lost: bool,
    /// Whether it says what befell the server.
    explained: bool,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `kind`; `message` is a lower-case fragment that names the place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            fields: Vec::new(),
            lost: false,
            explained: false,
            source: None,
        }
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the fields of the request that the words name.
    #[must_use]
    pub fn about(mut self, fields: &[Field]) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure, which came of being told to stop.
    #[must_use]
    pub(super) fn interrupted_if(mut self, stopped: bool) -> Self {
        if stopped {
            self.kind = ErrorKind::Interrupted;
        }
        self
    }

    /// The same failure after something was measured: what was asked for could be done, until something failed.
    #[must_use]
    pub fn after_measuring(mut self) -> Self {
        if self.kind == ErrorKind::Usage {
            self.kind = ErrorKind::Failed;
        }
        self
    }

    /// The same failure before anything was measured: it says that nothing is saved.
    #[must_use]
    pub(super) fn before_measuring(mut self) -> Self {
        if self.kind == ErrorKind::Interrupted {
            self.message = "interrupted before anything was measured; nothing was saved".to_owned();
        }
        self
    }

    /// The same failure, which says what befell the server.
    #[must_use]
    pub(super) fn explaining(mut self) -> Self {
        self.explained = true;
        self
    }

    /// Whether it says what befell the server.
    pub(super) fn is_explained(&self) -> bool {
        self.explained
    }

    /// Whether a connection to the server was lost.
    pub(super) fn is_lost(&self) -> bool {
        let cause = self.source.as_deref().and_then(|source| source.downcast_ref::<Self>());
        self.lost || cause.is_some_and(Self::is_lost)
    }

    /// The failure with its causes, as one text.
    pub(super) fn words(&self) -> String {
        let mut words = self.message.clone();
        let mut cause = error::Error::source(self);
        while let Some(one) = cause {
            words.push_str(&format!(": {one}"));
            cause = one.source();
        }
        words
    }

    /// What it means for the caller.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The fields of the request that its words, its way out or those of its causes name.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl From<pg::Error> for Error {
    fn from(error: pg::Error) -> Self {
        let kind = match () {
            () if error.is_stopped() => ErrorKind::Interrupted,
            () if error.is_usage() => ErrorKind::Usage,
            () => ErrorKind::Failed,
        };
        let (message, hint) = (error.to_string(), error.hint().map(str::to_owned));
        let fields = error.fields().to_vec();
        Self { kind, message, hint, fields, lost: error.is_disconnect(), explained: false, source: None }
    }
}

impl From<load::Error> for Error {
    fn from(error: load::Error) -> Self {
        Self::new(ErrorKind::Usage, error.to_string())
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
