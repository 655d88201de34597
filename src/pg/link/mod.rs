//! Sessions whose every wait has an end.
//!
//! All of latclinic's sessions come from [`Connector`](super::connector::Connector), and what is not load goes through
//! a [`Client`], which adds to the driver's client what a network that is cut, silent or garbled needs:
//!
//! | wait | it ends at the latest |
//! | --- | --- |
//! | to connect and sign in | after `connect_timeout` of the URL, 10 s by default |
//! | a question of latclinic's own | after [`QUESTION`] |
//! | a statement with a time limit on the server | [`GRACE`] after that limit |
//! | work that may take hours (`CREATE INDEX`, `COPY`) | once the server shows no sign of working at it: [`alive`] |
//! | any of these, after Ctrl-C | [`AFTER_STOP`](stop::AFTER_STOP) after it |
//!
//! The statements of a load do not pass here. A client of the engine waits as long as the measured window and its grace
//! time last; what prepares such a connection has the limit of a question.
//!
//! `.clippy.toml` forbids the driver's own client, connection and sockets everywhere else.

mod alive;
mod cancel;
mod client;
mod copy_in;
mod fault;
mod guard;
mod heard;
mod keepalive;
mod said;
mod shorten;
mod stop;
mod timeout;

use std::time::Duration;

pub(super) use cancel::Cancellation;
pub use client::Client;
pub(super) use client::{Limited, Messages, Raw, Shortened};
pub(super) use copy_in::CopyIn;
pub use fault::Fault;
pub(super) use fault::Loss;
pub(super) use guard::Guard;
pub(super) use heard::Heard;
pub(super) use keepalive::Keepalive;
pub(super) use said::Said;
pub(super) use shorten::Long;
pub(super) use stop::AFTER_STOP;
pub(super) use timeout::{Scope, Theirs, Timeout};

/// How long the server may take to answer a question of latclinic's own.
pub(super) const QUESTION: Duration = Duration::from_secs(60);

/// How long the answer may take that the server gives when its own time limit has passed.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// How long a session waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// As long as a question may take.
    Question,
    /// The server gives up after this time; its word of it is waited for a little longer.
    Server(Duration),
    /// As long as the server works at it.
    Work,
}
