//! What following an advice gains, in blocks, and for a statement written anew in rows that its joins, groups and sorts make: these
//! are the same in each run, where times are not. Where it changes how rows are compared, and not which are read, the time has to
//! be a small part of what it was. Advice that gains nothing is wrong.

use anyhow::{Context, Result};
use latclinic::record::Finding;
use serde_json::Value as Json;
use tokio_postgres::SimpleQueryMessage;

use crate::{
    case::Case,
    runner::{Planted, run, scalar},
};

/// Share of the blocks that may be left at most, and share of the time.
const MOST_LEFT: f64 = 0.67;
const MOST_TIME_LEFT: f64 = 0.2;

/// What an execution took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    blocks: f64,
    /// Rows that nodes above the scans return.
    made: f64,
    ms: f64,
}

/// Makes the index that the finding advises, and what else it has done, and says if the statement, written anew where the case has
/// it so, touches no fewer blocks; `None` if it gains, or if neither an index is advised nor the case has the rewrite.
pub(crate) async fn nothing_gained(planted: &Planted<'_>, finding: &Finding) -> Result<Option<String>> {
    let makes_index = |statement: &String| {
        ["CREATE INDEX", "REINDEX", "ALTER FUNCTION", "RESET "].iter().any(|begin| statement.starts_with(begin))
    };
    let case = planted.case;
    // What a trigger looks up is in no plan, nor is what planning takes.
    let is_index = finding.node.is_some() && finding.statements.iter().any(makes_index);
    let is_rewrite = finding.node.is_some() && case.finds.as_ref() == Some(&finding.rule) && case.query_after.is_some();
    if !is_index && !is_rewrite {
        return Ok(None);
    }
    let values = values(case, finding);
    let before = cost(planted, &case.query, values).await?;
    let role = scalar(&planted.session, "SHOW role").await?;
    run(&planted.session, "RESET ROLE").await?;
    for statement in if finding.statements.is_empty() { &case.follow } else { &finding.statements } {
        run(&planted.session, statement).await?;
    }
    run(&planted.session, &format!("SET ROLE {role}")).await?;
    let after = cost(planted, case.query_after.as_ref().unwrap_or(&case.query), values).await?;
    let gains = after.blocks <= MOST_LEFT * before.blocks
        || (is_rewrite && after.made <= MOST_LEFT * before.made)
        || after.ms <= MOST_TIME_LEFT * before.ms;
    Ok((!gains).then(|| format!("{:?} gains nothing: {before:?}, then {after:?}", finding.statements)))
}

/// The values of the class that the finding was seen for.
fn values<'c>(case: &'c Case, finding: &Finding) -> Option<&'c str> {
    let of = |wanted: &str| case.values.iter().find(|(class, _)| class == wanted);
    let seen = finding.classes.first().and_then(|class| of(class));
    seen.or_else(|| of("typical")).or(case.values.first()).map(|(_, values)| values.as_str())
}

/// What an execution takes; what it writes is taken back.
async fn cost(planted: &Planted<'_>, query: &str, values: Option<&str>) -> Result<Cost> {
    let session = &planted.session;
    let statement = match values {
        Some(values) => {
            run(session, &format!("PREPARE planted_gain AS {query}")).await?;
            format!("EXECUTE planted_gain ({values})")
        }
        None => query.to_owned(),
    };
    run(session, "SET plan_cache_mode = force_custom_plan").await?;
    run(session, "BEGIN").await?;
    let messages = session.simple_query(&format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")).await;
    run(session, "ROLLBACK").await?;
    run(session, "RESET plan_cache_mode").await?;
    if values.is_some() {
        run(session, "DEALLOCATE planted_gain").await?;
    }
    let messages = messages?;
    let json = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: Json = serde_json::from_str(json.context("no plan")?)?;
    let root = &plan[0]["Plan"];
    let of = |key: &str| root[key].as_f64().unwrap_or(0.0);
    let ms = plan[0]["Execution Time"].as_f64().unwrap_or(0.0);
    Ok(Cost { blocks: of("Shared Hit Blocks") + of("Shared Read Blocks"), made: made(root), ms })
}

/// Rows that the node and those below it return, scans and what keeps the rows of another node left out.
fn made(node: &Json) -> f64 {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let keeps = kind.contains("Scan") || ["Hash", "Materialize", "Memoize"].contains(&kind);
    let of = |key: &str| node[key].as_f64().unwrap_or(0.0);
    let own = if keeps { 0.0 } else { of("Actual Rows") * of("Actual Loops") };
    own + node["Plans"].as_array().into_iter().flatten().map(made).sum::<f64>()
}
