//! What is known of a connection beside the answers on it: the server's last words, and how it was lost.

use std::{
    io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use tokio_postgres::error::Severity;

use super::{
    fault::{Fault, Loss},
    said::Said,
    shorten::Long,
};

/// Shared by a connection's socket, which tells, and its client, which asks.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    known: Mutex<Known>,
    /// Bytes in either direction.
    bytes: AtomicU64,
    /// What becomes of long values.
    long: AtomicU8,
}

#[derive(Debug, Default)]
struct Known {
    /// The process that serves the connection, or what a pooler gives for one.
    backend: Option<i32>,
    last_words: Option<Said>,
    loss: Option<Loss>,
}

impl Heard {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn served_by(&self, backend: i32) {
        self.known().backend = Some(backend);
    }

    pub(crate) fn backend(&self) -> Option<i32> {
        self.known().backend
    }

    pub(crate) fn passed(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes that went through so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Says what becomes of long values from now on; returns what became of them before.
    pub(crate) fn set_long(&self, long: Long) -> Long {
        Long::from_code(self.long.swap(long as u8, Ordering::Relaxed))
    }

    /// What becomes of long values.
    pub(crate) fn long(&self) -> Long {
        Long::from_code(self.long.load(Ordering::Relaxed))
    }

    /// The server says something that may be the last.
    pub(crate) fn says(&self, said: Said) {
        if said.announces_end() {
            self.known().last_words = Some(said);
        }
    }

    /// The server closed the connection.
    pub(crate) fn closed(&self) {
        self.lose(Loss::Closed);
    }

    /// The system gave the connection up.
    pub(crate) fn broke(&self, cause: &io::Error) {
        self.lose(match cause.kind() {
            io::ErrorKind::UnexpectedEof => Loss::Closed,
            _ => Loss::Broke(cause.to_string()),
        });
    }

    /// The connection is of no use any more. The first reason counts, and the server's own words more than what the
    /// system says of it.
    pub(crate) fn lose(&self, loss: Loss) -> Loss {
        let mut known = self.known();
        let words = known.last_words.clone();
        let loss = match (loss, words) {
            (Loss::Closed | Loss::Broke(_), Some(words)) => Loss::Ended(words),
            (loss, _) => loss,
        };
        known.loss.get_or_insert(loss).clone()
    }

    /// What an error of the driver's means.
    pub(crate) fn fault(&self, cause: tokio_postgres::Error) -> Fault {
        let severity = cause.as_db_error().and_then(|error| error.parsed_severity());
        let is_end = match cause.as_db_error() {
            Some(_) => matches!(severity, Some(Severity::Fatal | Severity::Panic)),
            None => cause.is_closed() || self.loss().is_some(),
        };
        if is_end { Fault::lost(self.lose(Loss::Closed)) } else { cause.into() }
    }

    /// How the connection was lost; `None` while it is there.
    pub(crate) fn loss(&self) -> Option<Loss> {
        self.known().loss.clone()
    }
}
