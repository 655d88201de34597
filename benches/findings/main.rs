//! The planted cases of `tests/planted/cases` on real servers.
//!
//! What is found in each, of all cases or those named:
//!
//!     cargo bench --bench findings -- [CASE ..]
//!
//! The plans that the rules are tested on, from the servers whose binaries are given (`.ci/postgres` fetches those of 14, 16, 17 and 18),
//! into `tests/fixtures/findings/<case>/<major>.json`:
//!
//!     cargo bench --profile dev --bench findings -- capture --pg-bin DIR --pg-bin DIR [CASE ..]

#![expect(clippy::print_stdout, reason = "a benchmark prints its tables")]

#[path = "../../tests/planted/case.rs"]
mod case;
mod fixtures;
#[path = "../../tests/own_server/mod.rs"]
mod own_server;
#[path = "../../tests/planted/runner.rs"]
mod runner;

use std::path::PathBuf;

use anyhow::{Context, Result};
use case::Case;
use own_server::OwnServer;
use runner::Planted;

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
        false => found(&server, &cases).await,
    };
    if pg_bins.is_empty() {
        return work(OwnServer::start()).await;
    }
    for pg_bin in pg_bins {
        work(OwnServer::of(Some(pg_bin))).await?;
    }
    Ok(())
}

/// Prints what is found in each case.
async fn found(server: &OwnServer, cases: &[Case]) -> Result<()> {
    let connector = server.connector();
    let client = connector.connect("planted").await?;
    for case in cases {
        if !runner::is_met(&client, case).await? {
            println!("{}: not on this server", case.name);
            continue;
        }
        let planted = Planted::new(&connector, case).await.with_context(|| case.name.clone())?;
        let findings = planted.findings(&planted.capture().await?)?;
        planted.remove().await?;
        println!("{}: {}, expected {}", case.name, case.title, case.finds.as_deref().unwrap_or("nothing"));
        for finding in findings {
            let missing = case::missing(case, &finding);
            println!("  {} {}: {}", finding.severity.as_str(), finding.rule, finding.evidence);
            println!("    {} {:?} not named: {missing:?}", finding.advice, finding.statements);
        }
    }
    Ok(())
}
