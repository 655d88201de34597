//! The managed PostgreSQL: find its binaries, initdb, start, stop.
//!
//! A command takes a [`Lease`], which starts the server or uses the one that runs, and holds it to itself. How each
//! hazard is met is told where it is met: binaries and their versions in `binaries`, root and other users in `account`,
//! what is on disk in `folder`, two commands at once in `lock`, the socket in `socket`, settings in `settings`, orphans,
//! Ctrl-C and shutdown in `process`, readiness and stale pid files in `postmaster`.
//!
//! Everything here blocks; it takes what tells and what interrupts it as arguments, and prints nothing.

mod account;
mod binaries;
mod commands;
mod error;
mod folder;
mod init;
mod install;
mod lease;
mod lock;
mod mishap;
mod options;
mod postmaster;
mod postmaster_pid;
mod process;
mod settings;
mod site;
mod socket;
mod state;
mod versions;
mod watch;

pub use options::{DATABASE, Options, USER};

pub use binaries::{Installation, find};
pub use commands::{Destroyed, Reached, Started, Status, destroy, psql, reach, start, status, stop};
pub use error::{Error, Result};
pub use lease::{Abandoned, Lease};
pub use lock::Job;
pub use mishap::Mishap;
pub use state::Running;
pub use versions::SUPPORTED;
