//! Bad input and bad luck through the real program: what a person reads, the exit code, and that nothing is lost.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod baselines;
mod conditions;
mod consent;
mod database;
mod folders;
mod foreign_files;
mod foreign_text;
mod gates;
mod hostile_records;
mod interrupted;
mod query;
mod scenario;
mod site;
mod twice;
mod unwritten;
mod volatile;
