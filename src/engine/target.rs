//! What the engine drives.

use std::{future::Future, time::Duration};

use futures_util::future::LocalBoxFuture;

use crate::load::Operation;

/// Something that sessions can be opened on.
pub trait Target: Send + Sync + 'static {
    /// A session of it. It lives on the thread that opened it.
    type Session: Session + 'static;

    /// Opens the session of client `client`, numbered from 0, on the calling thread's runtime. Called again, after a pause, when
    /// that fails or when the session was lost.
    fn connect(&self, client: u32) -> impl Future<Output = Result<Self::Session, Failure>>;

    /// Whether a session has to wait for what it executes on ([`Session::acquire`]), so that the wait is worth figures of its own.
    fn shares(&self) -> bool {
        false
    }

    /// How the pool that its sessions share is used at this moment; `None` when there is none.
    fn pool(&self) -> Option<PoolUse> {
        None
    }
}

/// How a pool is used at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// Connections that clients hold.
    pub in_use: u32,
    /// Connections that nobody holds.
    pub idle: u32,
    /// Clients that wait for one.
    pub waiting: u32,
}

/// One client's session.
pub trait Session {
    /// Gets hold of what the next operation is executed on: a connection from a pool, or a new one. Nothing, and at once, where
    /// the session has its own.
    fn acquire(&mut self) -> impl Future<Output = Result<(), Failure>>;

    /// Sends an operation and waits for the end of its result; then lets go of what was acquired. Each statement of a script
    /// of several steps is noted in `steps`.
    ///
    /// What fails leaves no transaction open, unless the session is lost.
    fn execute(&mut self, operation: &Operation, steps: &mut Steps) -> impl Future<Output = Result<(), Failure>>;

    /// Has the target choose how it is going to execute an operation, as an execution would, and stop there. Whether that is done; `false`
    /// if it takes an execution.
    fn plan(&mut self, _operation: &Operation) -> impl Future<Output = Result<bool, Failure>> {
        std::future::ready(Ok(false))
    }

    /// Asks the target, when polled, to give up what this session is executing by then. Asked for once, after connecting;
    /// polled at most once, when an operation outlives the measurement. Outlives the session.
    fn cancellation(&self) -> LocalBoxFuture<'static, ()>;
}

/// The statements that an operation executed.
#[derive(Debug, Default)]
pub struct Steps {
    executed: Vec<Step>,
}

/// One execution of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Index of the statement in the workload.
    pub statement: usize,
    /// From sending it to the end of its result.
    pub service: Duration,
    /// How it failed, if it did.
    pub failure: Option<FailureKind>,
}

impl Steps {
    /// Notes an execution.
    pub fn note(&mut self, step: Step) {
        self.executed.push(step);
    }

    /// What was noted, in order.
    pub fn executed(&self) -> &[Step] {
        &self.executed
    }

    /// Forgets it.
    pub fn clear(&mut self) {
        self.executed.clear();
    }
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
    /// No connection of the pool came free in time: a timeout like the other.
    PoolTimeout,
    /// The connection is gone.
    Connection,
}

impl Failure {
    /// What errors are counted by: the SQLSTATE, or a word where the server sent none.
    pub fn code(&self) -> &str {
        match (&self.sqlstate, self.kind) {
            (Some(sqlstate), _) => sqlstate,
            (None, FailureKind::Timeout) => "timeout",
            (None, FailureKind::PoolTimeout) => "pool_timeout",
            (None, FailureKind::Connection) => "connection",
            (None, FailureKind::Operation) => "client",
        }
    }

    /// Whether the operation took longer than it may.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, FailureKind::Timeout | FailureKind::PoolTimeout)
    }

    /// Whether the operation may work when it is tried again: a serialization failure or a deadlock.
    pub fn is_transient(&self) -> bool {
        self.kind == FailureKind::Operation && matches!(self.sqlstate.as_deref(), Some("40001" | "40P01"))
    }
}
