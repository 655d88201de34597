//! The plans that the rules' own tests read.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    case::Case,
    own_server::OwnServer,
    runner::{self, Planted, TIME_LIMIT},
};
use latclinic::{
    pg::{CapturedPlan, Explained, TimeLimits, UserSession},
    plan::Plan,
};
use serde::Serialize;
use serde_json::Value as Json;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/findings");

/// A plan as EXPLAIN printed it.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Captured {
    /// Class of its values; `generic` for that of any values, where it is another; empty without parameters.
    class: String,
    plan: Json,
}

/// Captures the plans of each case.
pub(crate) async fn capture(server: &OwnServer, cases: &[Case]) -> Result<()> {
    let connector = server.connector();
    let client = UserSession::open(&connector, "planted").await?;
    runner::make_extensions(&client).await?;
    let major = runner::major(&client).await?;
    for case in cases {
        if runner::unmet(&client, case).await?.is_some() {
            println!("{major} {}: not on this server", case.name);
            continue;
        }
        let planted = Planted::new(&connector, case).await.with_context(|| case.name.clone())?;
        let captured = plans(&planted).await.with_context(|| case.name.clone())?;
        planted.remove().await?;
        let folder = PathBuf::from(FOLDER).join(&case.name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{major}.json")), text(&captured)?)?;
        println!("{major} {}: {} plans", case.name, captured.len());
    }
    Ok(())
}

/// The plans in which latclinic looks for causes.
async fn plans(planted: &Planted<'_>) -> Result<Vec<Captured>> {
    let (explainer, limits) = (planted.explainer(), TimeLimits { execution: TIME_LIMIT, plan: TIME_LIMIT });
    let statement = Explained { sql: &planted.case.query, place: &planted.case.name };
    let plan = |class: &str, captured: CapturedPlan| Captured { class: class.to_owned(), plan: captured.json };
    let classes = planted.classes().await?;
    let Some(usual) = classes.iter().find(|given| given.class == "typical").or(classes.first()) else {
        return Ok(vec![plan("", explainer.custom(&statement, &[], limits).await?)]);
    };
    let mut plans = Vec::new();
    for given in &classes {
        plans.push(plan(&given.class, explainer.custom(&statement, &given.values, limits).await?));
    }
    let generic = plan("generic", explainer.generic(&statement, &usual.values, limits).await?);
    let any = Plan::from_json(&generic.plan)?;
    for one in &plans {
        if !Plan::from_json(&one.plan)?.has_shape_of(&any) {
            plans.push(generic);
            break;
        }
    }
    Ok(plans)
}

/// A line a plan, so that a diff shows which changed.
fn text(plans: &[Captured]) -> Result<String> {
    let lines = plans.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}
