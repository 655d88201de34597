//! `latclinic explain`

mod plan;
mod query;
mod what_if;

use clap::Args;

use self::{
    query::{QueryArgs, TimeLimitArgs},
    what_if::WhatIfArgs,
};
use super::{
    bench::PhaseName,
    consent::ConsentArgs,
    exit::{CommandError, Exit},
    format::FormatArgs,
    output::Output,
    reports::ReportsArgs,
    scenario::ScenarioArgs,
    session,
    target::TargetArgs,
};
use crate::{
    clinic::{self, Job},
    record::Phase,
    render,
};

/// Find out why a statement or a plan is slow
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic explain --plan plan.txt
  latclinic explain --database-url postgres://user@host:5432/shop --query 'SELECT id FROM orders WHERE customer_id = $1'
  latclinic explain events --phase before --what-if")]
#[command(override_usage = "latclinic explain [SCENARIO] --phase before|after [OPTIONS]\n       \
                            latclinic explain --query SQL|@FILE|- [--parameter VALUE].. [--database-url URL] [OPTIONS]\n       \
                            latclinic explain --plan FILE|- [--format FORMAT]\n       \
                            latclinic explain --rule ID | --rules [--format FORMAT]")]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// Phase to explain: `before` requires that the fix is absent, `after` that it is applied
    #[arg(long, value_name = "PHASE", required_unless_present_any = WITHOUT_SCENARIO)]
    phase: Option<PhaseName>,
    /// Seed that parameter values are drawn from [default: the scenario's, else 1]
    #[arg(long, value_name = "N")]
    random_seed: Option<u64>,
    #[command(flatten)]
    limit: TimeLimitArgs,
    #[command(flatten)]
    what_if: WhatIfArgs,
    #[command(flatten)]
    query: QueryArgs,
    #[command(flatten)]
    without: WithoutScenario,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    consent: ConsentArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// Flags that need neither a scenario nor a database; one of them at a time.
#[derive(Debug, Args)]
#[group(id = "without_scenario", multiple = false, conflicts_with_all = OF_SCENARIO)]
#[command(next_help_heading = "Without a scenario")]
struct WithoutScenario {
    /// Explain the plans in a file, or `-` for stdin: EXPLAIN's JSON or text, as psql, auto_explain or a client prints it
    #[arg(long, value_name = "FILE")]
    plan: Option<String>,
    /// Explain a rule: what it looks at, why that matters and what to do
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// List the rules that plans are examined by
    #[arg(long)]
    rules: bool,
}

impl WithoutScenario {
    /// Where to work is not said where no database is asked.
    fn refuse_target(&self, target: &TargetArgs) -> Result<(), CommandError> {
        let asked = match self {
            Self { plan: Some(_), .. } => "--plan",
            Self { rule: Some(_), .. } => "--rule",
            Self { rules: true, .. } => "--rules",
            Self { .. } => return Ok(()),
        };
        let Some(flag) = target.flag_given() else { return Ok(()) };
        let message = anyhow::anyhow!("{flag} cannot be used with {asked}, which needs no database");
        Err(CommandError::new(Exit::Usage, message).with_hint("`--query SQL` explains a statement on a database"))
    }
}

const WITHOUT_SCENARIO: [&str; 4] = ["query", "plan", "rule", "rules"];
const OF_SCENARIO: [&str; 9] =
    ["scenario", "rows", "phase", "random_seed", "time_limit", "what_if", "reports", "output", "yes"];

pub(super) fn run(args: &ExplainArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let format = args.format.format;
    if let Some(query) = &args.query.query {
        query::run(query, &args.query, args.limit.time_limit(), args.what_if, &args.target, &args.format, output)?;
        return Ok(Exit::Done);
    }
    args.without.refuse_target(&args.target)?;
    match &args.without {
        WithoutScenario { plan: Some(file), .. } => plan::run(file, format, output)?,
        WithoutScenario { rule: Some(id), .. } => {
            let rule = clinic::rule(id)?;
            format.show(output, &render::rule(rule), rule)?;
        }
        WithoutScenario { rules: true, .. } => {
            format.show(output, &render::rules(clinic::rules()), &clinic::rules())?;
        }
        WithoutScenario { .. } => {
            // clap has seen to it that there is one.
            let phase = args.phase.map_or(Phase::Before, PhaseName::phase);
            of_scenario(args, phase, output)?;
        }
    }
    Ok(Exit::Done)
}

fn of_scenario(args: &ExplainArgs, phase: Phase, output: &mut Output) -> Result<(), CommandError> {
    let scenario = args.scenario.load()?;
    let seed = args.random_seed.unwrap_or(scenario.load.seed);
    let reports = args.reports.reports();
    let what_if = args.what_if.by();
    let (outcome, interrupted) = session::at(args.target.place(0)?, "latclinic explain", async |clinic| {
        args.consent.ask(clinic, &scenario, Job::Execute(phase)).await?;
        clinic::explain(clinic, &scenario, phase, seed, args.limit.time_limit(), what_if, &reports).await
    })?;
    let examinations = outcome.captured.examinations(&outcome.findings);
    let document = render::examination(&examinations);
    args.format.format.show_saved(output, &document, &examinations, outcome.folder.as_deref())?;
    outcome.failure.map_or(Ok(()), |failure| Err(session::failure(failure, interrupted)))
}
