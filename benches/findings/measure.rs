//! What following the advice gains: the operation timed before and after, as a client sees it.

use std::time::{Duration, Instant};

use anyhow::Result;
use latclinic::record::Finding;

use crate::{
    case::Case,
    runner::{Planted, run, scalar},
};

/// Executions that warm the cache, and those that count: no fewer, and no more once they took this long.
const WARM: usize = 3;
const FEWEST: usize = 7;
const MOST: usize = 51;
const LONG: Duration = Duration::from_secs(1);

/// Milliseconds of an operation at the median, before and after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gain {
    pub(crate) before_ms: f64,
    pub(crate) after_ms: f64,
    /// Whether what was followed are the finding's own statements, not the case's.
    pub(crate) own_statements: bool,
}

/// Follows the finding's own statements, or else what the case says of the advice that it expects; `None` where neither says how.
pub(crate) async fn follow(planted: &Planted<'_>, finding: &Finding) -> Result<Option<Gain>> {
    let case = planted.case;
    let own_statements = !finding.statements.is_empty();
    let expected = case.finds.as_ref() == Some(&finding.rule);
    let by_hand = expected && !(case.follow.is_empty() && case.query_after.is_none());
    if !own_statements && !by_hand {
        return Ok(None);
    }
    let class = finding.classes.first().map_or("", String::as_str);
    let values = values(case, class);
    if values.is_some() {
        // The plan that the finding is about, whatever the server would change over to.
        let mode = if class == "generic" { "generic" } else { "custom" };
        run(&planted.session, &format!("SET plan_cache_mode = force_{mode}_plan")).await?;
    }
    let executions = case.executions.unwrap_or(1.0).max(1.0) as usize;
    let before_ms = median_ms(planted, &case.query, values, executions).await?;
    let statements = if own_statements { &finding.statements } else { &case.follow };
    as_owner(planted, statements).await?;
    let after_ms = match &case.query_after {
        Some(rewritten) => median_ms(planted, rewritten, values, 1).await?,
        None => median_ms(planted, &case.query, values, executions).await?,
    };
    Ok(Some(Gain { before_ms, after_ms, own_statements }))
}

/// The values of a class; the generic plan runs with the typical ones.
fn values<'c>(case: &'c Case, class: &str) -> Option<&'c str> {
    let of = |wanted: &str| case.values.iter().find(|(class, _)| class == wanted);
    let found = of(class).or_else(|| of("typical")).or_else(|| case.values.first());
    found.map(|(_, values)| values.as_str())
}

/// Runs the statements in the query's session, whose settings they may change, with the rights to change its tables.
async fn as_owner(planted: &Planted<'_>, statements: &[String]) -> Result<()> {
    let role = scalar(&planted.session, "SHOW role").await?;
    run(&planted.session, "RESET ROLE").await?;
    for statement in statements {
        run(&planted.session, statement).await?;
    }
    run(&planted.session, &format!("SET ROLE {role}")).await
}

async fn median_ms(planted: &Planted<'_>, query: &str, values: Option<&str>, executions: usize) -> Result<f64> {
    let statement = match values {
        Some(values) => {
            let known = "SELECT count(*) FROM pg_prepared_statements WHERE name = 'planted'";
            if scalar(&planted.session, known).await? == "1" {
                run(&planted.session, "DEALLOCATE planted").await?;
            }
            run(&planted.session, &format!("PREPARE planted AS {query}")).await?;
            format!("EXECUTE planted ({values})")
        }
        None => query.to_owned(),
    };
    for _ in 0..WARM {
        operation(planted, &statement, executions).await?;
    }
    let begun = Instant::now();
    let mut took = Vec::new();
    while took.len() < FEWEST || (took.len() < MOST && begun.elapsed() < LONG) {
        took.push(operation(planted, &statement, executions).await?);
    }
    took.sort();
    Ok(took[took.len() / 2].as_secs_f64() * 1e3)
}

/// One operation; what it writes is taken back.
async fn operation(planted: &Planted<'_>, statement: &str, executions: usize) -> Result<Duration> {
    planted.session.run("BEGIN").await?;
    let begun = Instant::now();
    for _ in 0..executions {
        planted.session.simple_query(statement).await?;
    }
    let took = begun.elapsed();
    planted.session.run("ROLLBACK").await?;
    Ok(took)
}
