//! Networks that are cut, silent or garbled, and servers whose processes are killed: every command ends in time, says why, and
//! keeps what it has measured.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod killed;
mod meanwhile;
mod network;
mod proxy;
#[path = "../bad_input/site.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod site;
mod suspended;
