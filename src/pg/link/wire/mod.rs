//! The extended protocol straight on a socket: what the load sends, with the least work between a message and its answer.
//!
//! [`tokio_postgres`] signs in and makes the session ([`open`]); then the socket is ours. It stays what everything that is not
//! timed goes through: its connection is a task of its own that the client talks to through channels, which costs as much again
//! as the system calls of a short query.

pub(crate) mod connection;
pub(crate) mod incoming;
pub(crate) mod message;
pub(crate) mod open;
pub(crate) mod stream;

pub(crate) use connection::garbled;
pub(crate) use open::open;
