//! The planted cases of `tests/planted/cases` on real servers.
//!
//! What is found in each and what following the finding on top gains, of all cases or those named. All of them make the table of
//! `docs/findings.md`:
//!
//!     cargo bench --bench findings
//!     cargo bench --bench findings -- CASE ..
//!
//! The plans that the rules are tested on, from the servers whose binaries are given (`.ci/postgres` fetches those of 14, 16, 17 and 18),
//! into `tests/fixtures/findings/<case>/<major>.json`:
//!
//!     cargo bench --profile dev --bench findings -- capture --pg-bin DIR --pg-bin DIR [CASE ..]

#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

#[path = "../../tests/planted/case.rs"]
mod case;
mod fixtures;
mod measure;
#[path = "../../tests/own_server/mod.rs"]
mod own_server;
#[path = "../../tests/planted/runner.rs"]
mod runner;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result};
use own_server::OwnServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mut pg_bins, mut names, mut capture) = (Vec::new(), Vec::new(), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--pg-bin" => pg_bins.push(PathBuf::from(arguments.next().context("--pg-bin needs a folder")?)),
            "capture" => capture = true,
            "--bench" => {} // Cargo's.
            name => names.push(name.to_owned()),
        }
    }
    let cases = case::read(&names)?;
    let work = async |server: OwnServer| match capture {
        true => fixtures::capture(&server, &cases).await,
        false => table::examine(&server, &cases, names.is_empty()).await,
    };
    if pg_bins.is_empty() {
        return work(OwnServer::start()).await;
    }
    for pg_bin in pg_bins {
        work(OwnServer::of(Some(pg_bin))).await?;
    }
    Ok(())
}
