//! What the engine drives.

use std::future::Future;

use crate::load::Operation;

/// Something that sessions can be opened on.
pub trait Target: Send + Sync + 'static {
    /// A session of it. It lives on the thread that opened it.
    type Session: Session;

    /// Opens the session of client `client`, numbered from 0, on the calling thread's runtime.
    fn connect(&self, client: u32) -> impl Future<Output = Result<Self::Session, Failure>>;
}

/// One client's session.
pub trait Session {
    /// Sends an operation and waits for the end of its result.
    fn execute(&mut self, operation: &Operation) -> impl Future<Output = Result<(), Failure>>;
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
    /// The connection is gone.
    Connection,
}
