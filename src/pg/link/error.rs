//! Why PostgreSQL did not do what was asked.

use std::{error, fmt};

use super::Fault;
use crate::{scenario::foreign_form, text::Field};

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// SQLSTATE `lock_not_available`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Classes of SQLSTATE that may come with some values and not with others: cardinality, data exceptions, constraints, functions,
/// transactions rolled back, WITH CHECK OPTION, limits, PL/pgSQL.
const OF_VALUES: [&str; 9] = ["21", "22", "23", "38", "39", "40", "44", "54", "P0"];

/// SQLSTATE `insufficient_privilege`, which a row that violates a policy has too.
const RLS_OR_PRIVILEGE: &str = "42501";

/// What was tried, why it failed, and a way out where one is known. Never holds a password.
#[derive(Debug)]
pub struct Error {
    doing: String,
    hint: Option<String>,
    fields: Vec<Field>,
    cause: Option<Fault>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    Stopped,
}

impl Error {
    /// A failure that is not the server's; `doing` is a lower-case fragment.
    pub fn new(doing: impl Into<String>) -> Self {
        Self { doing: doing.into(), hint: None, fields: Vec::new(), cause: None, kind: Kind::Failed }
    }

    /// What was asked for cannot be done as asked; `doing` is a lower-case fragment.
    pub fn usage(doing: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, ..Self::new(doing) }
    }

    /// A failure that the server or the connection reported while `doing`.
    pub fn from_server(doing: impl Into<String>, cause: impl Into<Fault>) -> Self {
        let cause = cause.into();
        let kind = if cause.is_stopped() { Kind::Stopped } else { Kind::Failed };
        Self { doing: doing.into(), hint: cause.hint(), fields: Vec::new(), cause: Some(cause), kind }
    }

    /// The server refuses what was asked for.
    pub(crate) fn usage_from_server(doing: impl Into<String>, cause: impl Into<Fault>) -> Self {
        Self { kind: Kind::Usage, ..Self::from_server(doing, cause) }
    }

    /// The server does not take a scenario's SQL: a fault of the scenario where the SQL is wrong or names what is not there.
    pub(crate) fn from_sql(doing: impl Into<String>, cause: impl Into<Fault>) -> Self {
        let error = Self::from_server(doing, cause);
        // Class 42 is "syntax error or access rule violation"; only the latter of these is no matter of the text.
        let is_fault = error.sqlstate().is_some_and(|code| code.starts_with("42") && code != "42501");
        Self { kind: if is_fault { Kind::Usage } else { error.kind }, ..error }
    }

    /// The server does not prepare this statement: as [`from_sql`](Self::from_sql), with the form that PostgreSQL has where the
    /// statement has a driver's or another system's.
    pub(crate) fn from_statement(doing: impl Into<String>, sql: &str, cause: impl Into<Fault>) -> Self {
        let error = Self::from_sql(doing, cause);
        match foreign_form(sql).filter(|_| error.kind == Kind::Usage) {
            Some(form) => error.with_hint(form.to_string()),
            None => error,
        }
    }

    /// The fields of the request that its words name.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Names the fields of the request that the words name.
    #[must_use]
    pub(crate) fn about(mut self, fields: &[Field]) -> Self {
        self.fields.extend(fields);
        self
    }

    /// It was stopped before it was done.
    pub fn stopped() -> Self {
        Self { kind: Kind::Stopped, ..Self::new("stopped") }
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.kind == Kind::Stopped
    }

    /// Whether what was asked for cannot be done as asked.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The way out of a time limit of the role, database or URL, if one brought it about.
    pub(crate) fn time_limit(&self) -> Option<String> {
        self.cause.as_ref().filter(|cause| cause.met_time_limit()).and_then(Fault::hint)
    }

    /// SQLSTATE, where the server sent one.
    pub fn sqlstate(&self) -> Option<&str> {
        self.cause.as_ref().and_then(Fault::sqlstate)
    }

    /// The server's words, where it refused what was sent to it with these values and may take it with others: a value that is none,
    /// a key that is there already, a division by zero, a trigger or policy that does not let it pass.
    pub fn of_values(&self) -> Option<String> {
        let words = server_words(self.cause.as_ref()?);
        let sqlstate = self.sqlstate()?;
        let is_of_values = OF_VALUES.iter().any(|class| sqlstate.starts_with(class)) || sqlstate == RLS_OR_PRIVILEGE;
        is_of_values.then_some(words)
    }

    /// Whether another session holds a lock that was waited for in vain.
    pub fn is_locked(&self) -> bool {
        self.sqlstate() == Some(LOCK_NOT_AVAILABLE)
    }

    /// Says so where another session holds a lock.
    #[must_use]
    pub(crate) fn naming_lock(mut self) -> Self {
        if self.is_locked() {
            self.doing.push_str(": another session holds a lock that it needs");
            self.hint =
                Some("let the transaction that holds it end (pg_locks shows its process), then try again".to_owned());
        }
        self
    }

    /// Whether the connection is gone.
    pub fn is_disconnect(&self) -> bool {
        self.cause.as_ref().is_some_and(Fault::is_lost)
    }
}

/// The server's message with its detail and hint, or how the connection was lost.
pub(crate) fn server_words(cause: &Fault) -> String {
    cause.to_string()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        if let Some(cause) = &self.cause {
            // Its further lines are known as the server's.
            write!(f, ": {}", cause.to_string().replace('\n', "\n    "))?;
        }
        Ok(())
    }
}

/// Without a source: what the server said is in the message already.
impl error::Error for Error {}
