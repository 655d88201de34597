//! What the engine drives.

use std::future::Future;

use futures_util::future::LocalBoxFuture;

use crate::load::Operation;

/// Something that sessions can be opened on.
pub trait Target: Send + Sync + 'static {
    /// A session of it. It lives on the thread that opened it.
    type Session: Session + 'static;

    /// Opens the session of client `client`, numbered from 0, on the calling thread's runtime.
    fn connect(&self, client: u32) -> impl Future<Output = Result<Self::Session, Failure>>;
}

/// One client's session.
pub trait Session {
    /// Sends an operation and waits for the end of its result.
    fn execute(&mut self, operation: &Operation) -> impl Future<Output = Result<(), Failure>>;

    /// Asks the target, when polled, to give up what this session is executing by then. Asked for once, after connecting;
    /// polled at most once, when an operation outlives the measurement. Outlives the session.
    fn cancellation(&self) -> LocalBoxFuture<'static, ()>;
}

/// Why an operation or a connection failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Whether the session outlives it.
    pub kind: FailureKind,
    /// SQLSTATE, where the server sent one.
    pub sqlstate: Option<String>,
    /// The server's or the system's words; never a password.
    pub message: String,
}

/// Whether a session outlives a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The operation failed; the session goes on.
    Operation,
    /// The operation took longer than it may: an error whose time counts as a response time too, because it would have taken
    /// at least as long. The session goes on.
    Timeout,
    /// The connection is gone.
    Connection,
}

impl Failure {
    /// What errors are counted by: the SQLSTATE, or a word where the server sent none.
    pub fn code(&self) -> &str {
        match (&self.sqlstate, self.kind) {
            (Some(sqlstate), _) => sqlstate,
            (None, FailureKind::Timeout) => "timeout",
            (None, FailureKind::Connection) => "connection",
            (None, FailureKind::Operation) => "client",
        }
    }
}
