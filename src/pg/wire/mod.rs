//! The extended protocol straight on a socket: what the load sends, with the least work between a message and its answer.
//!
//! [`tokio_postgres`] signs in and makes the session ([`open`]); then the socket is ours. It stays what everything that is not
//! timed goes through: its connection is a task of its own that the client talks to through channels, which costs as much again
//! as the system calls of a short query.

mod connection;
mod incoming;
mod message;
mod open;
mod stream;

pub(super) use connection::{ROW, Reply, Wire, garbled};
pub(super) use message::{Execution, Format, put_value};
pub(super) use open::open;
