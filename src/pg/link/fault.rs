//! Why a session did not do what it was asked.

use std::{error, fmt, time::Duration};

use tokio_postgres::error::{DbError, SqlState};

use super::{said::Said, timeout::EndedBy};

/// Why a session did not do what it was asked.
#[derive(Debug)]
pub struct Fault {
    kind: Box<Kind>,
    /// The time limit of the role, database or URL that brought it about.
    ended_by: Option<EndedBy>,
}

#[derive(Debug)]
enum Kind {
    /// The server refuses, or the answer cannot be read.
    Refused(tokio_postgres::Error),
    /// The connection is gone.
    Lost(Loss),
}

/// How a connection was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The server ended it and said why.
    Ended(Said),
    /// The server closed it without a word.
    Closed,
    /// The system gave it up, for this reason.
    Broke(String),
    /// What came is not PostgreSQL's protocol.
    Garbled(String),
    /// No answer came in time.
    Late(Duration),
    /// No answer came for so long, and the server is not at work for it.
    Silent(Duration),
    /// No answer came for so long, and the server cannot be asked why.
    Unreachable(Duration, String),
    /// No answer came after latclinic was told to stop.
    Stopped,
}

impl Fault {
    pub(crate) fn lost(loss: Loss) -> Self {
        Self::of(Kind::Lost(loss))
    }

    fn of(kind: Kind) -> Self {
        Self { kind: Box::new(kind), ended_by: None }
    }

    /// The same, brought about by a time limit of the role, database or URL.
    pub(crate) fn ended_by(self, ended_by: Option<EndedBy>) -> Self {
        Self { ended_by, ..self }
    }

    /// SQLSTATE, if the server sent one.
    pub(crate) fn sqlstate(&self) -> Option<&str> {
        match &*self.kind {
            Kind::Refused(cause) => cause.code().map(SqlState::code),
            Kind::Lost(Loss::Ended(said)) => Some(said.sqlstate.as_str()).filter(|code| !code.is_empty()),
            Kind::Lost(_) => None,
        }
    }

    /// SQLSTATE of an error that the session outlives.
    pub(crate) fn code(&self) -> Option<&SqlState> {
        match &*self.kind {
            Kind::Refused(cause) => cause.code(),
            Kind::Lost(_) => None,
        }
    }

    /// The server's error, if it is one and the session outlives it.
    pub(crate) fn as_db_error(&self) -> Option<&DbError> {
        match &*self.kind {
            Kind::Refused(cause) => cause.as_db_error(),
            Kind::Lost(_) => None,
        }
    }

    /// Whether the connection is gone.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(*self.kind, Kind::Lost(_))
    }

    /// Whether the connection was given up after latclinic was told to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(*self.kind, Kind::Lost(Loss::Stopped))
    }

    /// Whether a time limit of the role, database or URL brought it about.
    pub(crate) fn met_time_limit(&self) -> bool {
        self.ended_by.is_some()
    }

    /// What helps, as far as this alone tells.
    pub(crate) fn hint(&self) -> Option<String> {
        if let Some(ended_by) = self.ended_by {
            return Some(ended_by.hint());
        }
        let hint = match &*self.kind {
            Kind::Lost(Loss::Late(_) | Loss::Silent(_) | Loss::Unreachable(..)) => {
                "check the network to the server, then try again"
            }
            Kind::Lost(Loss::Garbled(_)) => "is it PostgreSQL that answers at this host and port?",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// An error of the driver's on a connection that is there.
impl From<tokio_postgres::Error> for Fault {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::of(if cause.is_closed() { Kind::Lost(Loss::Closed) } else { Kind::Refused(cause) })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |time: &Duration| (time.as_secs_f64() * 10.0).round() / 10.0;
        match self {
            Self::Ended(said) => write!(f, "the server ended the session: {said}"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Broke(cause) => write!(f, "the connection broke: {cause}"),
            Self::Garbled(what) => write!(f, "what the server sent is not PostgreSQL's protocol: {what}"),
            Self::Late(waited) => write!(f, "no answer within {} s", seconds(waited)),
            Self::Silent(waited) => {
                write!(f, "no answer for {} s, and the server is not at work on it", seconds(waited))
            }
            Self::Unreachable(waited, cause) => {
                write!(f, "no answer for {} s, and the server cannot be reached: {cause}", seconds(waited))
            }
            Self::Stopped => f.write_str("no answer after a signal asked to stop"),
        }
    }
}

/// The server's message with its detail and hint, or how the connection was lost.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_cause(f)?;
        self.ended_by.map_or(Ok(()), |ended_by| write!(f, "; {ended_by}"))
    }
}

impl Fault {
    fn fmt_cause(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match &*self.kind {
            Kind::Lost(loss) => return write!(f, "{loss}"),
            Kind::Refused(cause) => cause,
        };
        let Some(db) = cause.as_db_error() else {
            let words = cause.to_string();
            f.write_str(&words)?;
            return match error::Error::source(cause).map(ToString::to_string) {
                Some(inner) if !words.contains(&inner) => write!(f, ": {inner}"),
                _ => Ok(()),
            };
        };
        write!(f, "{} (SQLSTATE {})", db.message(), db.code().code())?;
        [db.detail(), db.hint()].into_iter().flatten().try_for_each(|more| write!(f, "; {more}"))
    }
}

impl error::Error for Fault {}
