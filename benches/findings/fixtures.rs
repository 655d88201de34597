//! The plans that the rules' own tests read.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    case::Case,
    own_server::OwnServer,
    runner::{self, Captured, Planted},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/findings");

/// Captures the plans of each case.
pub(crate) async fn capture(server: &OwnServer, cases: &[Case]) -> Result<()> {
    let connector = server.connector();
    let client = connector.connect("planted").await?;
    let major = runner::major(&client).await?;
    for case in cases {
        if !runner::is_met(&client, case).await? {
            println!("{major} {}: not on this server", case.name);
            continue;
        }
        let planted = Planted::new(&connector, case).await.with_context(|| case.name.clone())?;
        let captured = planted.capture().await.with_context(|| case.name.clone())?;
        planted.remove().await?;
        let folder = PathBuf::from(FOLDER).join(&case.name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{major}.json")), text(&captured)?)?;
        println!("{major} {}: {} plans", case.name, captured.len());
    }
    Ok(())
}

/// A line a plan, so that a diff shows which changed.
fn text(captured: &[Captured]) -> Result<String> {
    let lines = captured.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}
