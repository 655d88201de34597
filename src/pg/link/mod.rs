//! Sessions whose every wait has an end.
//!
//! All of latclinic's sessions come from [`Connector`](crate::pg::link::connector::Connector), and what is not load goes through
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

pub(crate) mod alive;
pub(crate) mod cancel;
pub(crate) mod client;
pub(crate) mod connector;
pub(crate) mod copy_in;
pub(crate) mod error;
pub(crate) mod fault;
pub(crate) mod guard;
pub(crate) mod heard;
pub(crate) mod keepalive;
pub(crate) mod literal;
pub(crate) mod parameter;
pub(crate) mod path;
pub(crate) mod pooler;
pub(crate) mod request;
pub(crate) mod said;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod shorten;
pub(crate) mod socket;
pub(crate) mod stop;
pub(crate) mod timeout;
pub(crate) mod url;
pub(crate) mod user_session;
pub(crate) mod wire;

use std::time::Duration;

pub(crate) use cancel::Cancellation;
pub use client::Client;
pub(crate) use client::{Limited, Messages, Raw, Shortened};
pub(crate) use copy_in::CopyIn;
pub use fault::Fault;
pub(crate) use fault::Loss;
pub(crate) use guard::Guard;
pub(crate) use heard::Heard;
pub(crate) use keepalive::Keepalive;
pub(crate) use said::Said;
pub(crate) use shorten::Long;
pub(crate) use stop::AFTER_STOP;
pub(crate) use timeout::{Scope, Theirs, Timeout};

/// How long the server may take to answer a question of latclinic's own.
pub(crate) const QUESTION: Duration = Duration::from_secs(60);

/// How long the answer may take that the server gives when its own time limit has passed.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// How long a session waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// As long as a question may take.
    Question,
    /// The server gives up after this time; its word of it is waited for a little longer.
    Server(Duration),
    /// As long as the server works at it.
    Work,
}
