//! Why a measurement could not be made at all.

use std::io;

use super::target::Failure;

/// Why a measurement could not be made at all. What goes wrong after it has begun is in [`super::Ended`] instead, with all
/// that was measured.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("client {client} cannot connect: {failure}")]
    Connect { client: u32, failure: Failure },
    #[error("cannot start thread {thread} of the load: {cause}")]
    Spawn { thread: u32, cause: io::Error },
    #[error("a load thread ended unexpectedly; this is a bug in latclinic")]
    BrokeOff,
}

impl Error {
    pub(super) fn connect(client: u32, failure: Failure) -> Self {
        Self { kind: Kind::Connect { client, failure } }
    }

    pub(super) fn spawn(thread: u32, cause: io::Error) -> Self {
        Self { kind: Kind::Spawn { thread, cause } }
    }

    pub(super) fn broke_off() -> Self {
        Self { kind: Kind::BrokeOff }
    }

    /// Why a client could not connect, where that is the reason.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.kind {
            Kind::Connect { failure, .. } => Some(failure),
            Kind::Spawn { .. } | Kind::BrokeOff => None,
        }
    }
}
