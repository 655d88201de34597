//! `latclinic explain --query`

use std::{io, path::Path, time::Duration};

use clap::Args;

use super::what_if::WhatIfArgs;
use crate::{
    cli::{
        exit::{CommandError, Exit},
        format::FormatArgs,
        load::positive,
        output::Output,
        session,
        target::TargetArgs,
    },
    clinic::{self, TryBy},
    files::{self, MIB},
    render,
};

/// Most bytes of a statement.
const LONGEST: u64 = 16 * MIB;

/// A statement of anybody's.
#[derive(Debug, Args)]
#[command(next_help_heading = "A statement of yours")]
pub(super) struct QueryArgs {
    /// Explain this statement: SQL, `@FILE`, or `-` for stdin. It is executed in read-only transactions, unless it calls
    /// functions that these do not stop, see --execute-volatile
    #[arg(long, value_name = "SQL", allow_hyphen_values = true, conflicts_with_all = ["scenario", "rows", "phase", "random_seed", "reports", "output", "yes", "plan", "rule", "rules"])]
    pub(super) query: Option<String>,
    /// Value of $1; repeat it for $2 and so on; \N is NULL. Without any, values are taken from the data: for what a parameter
    /// must equal, the most frequent value, a typical one, a rare one and one that no row has. A parameter without a value is
    /// named; the generic plan is then explained and not executed
    #[arg(long = "parameter", value_name = "VALUE", allow_hyphen_values = true, requires = "query")]
    parameters: Vec<String>,
    /// Let the statement write. Each execution is rolled back, but effects that are not transactional stay, such as advanced
    /// sequences, and the rows that it writes are locked for others during each execution
    #[arg(long, requires = "query")]
    rollback: bool,
    /// Execute the statement even if it calls volatile functions, directly or through views, triggers and operators. Neither a
    /// read-only transaction nor a rollback stops effects outside the transaction, such as those of dblink, COPY TO PROGRAM or
    /// pg_terminate_backend. Without this flag, the functions are named and the statement is only estimated. PostgreSQL's
    /// own volatile functions without side effects, such as random(), are always executed
    #[arg(long, requires = "query")]
    execute_volatile: bool,
}

/// How long statements are executed.
#[derive(Debug, Args)]
pub(super) struct TimeLimitArgs {
    /// Stop an execution that takes longer than this and explain the statement without executing it [default: 30s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    time_limit: Option<Duration>,
}

impl TimeLimitArgs {
    pub(super) fn time_limit(&self) -> Duration {
        self.time_limit.unwrap_or(clinic::TIME_LIMIT)
    }
}

/// Examines the statement `query`.
pub(super) fn run(
    query: &str,
    args: &QueryArgs,
    time_limit: Duration,
    what_if: WhatIfArgs,
    target: &TargetArgs,
    format: &FormatArgs,
    output: &mut Output,
) -> Result<(), CommandError> {
    if what_if.by() == Some(TryBy::Build) {
        let message = anyhow::anyhow!("--what-if=build builds in the schema of a scenario, and --query has none");
        return Err(
            CommandError::new(Exit::Usage, message).with_hint("--what-if=costs asks HypoPG, where it is installed")
        );
    }
    let text = text(query)?;
    // Before a server is started for it.
    clinic::question(&text)?;
    let values = args.parameters.iter().map(|value| (value != "\\N").then(|| value.clone())).collect();
    let (examination, _) = session::at(target.place(0)?, "latclinic explain", async |clinic| {
        let QueryArgs { rollback, execute_volatile, .. } = *args;
        clinic::explain_query(clinic, &text, values, rollback, execute_volatile, time_limit, what_if.by().is_some())
            .await
    })?;
    let examinations = [examination];
    format.format.show(output, &render::examination(&examinations), &examinations)
}

/// The text that an argument stands for.
fn text(query: &str) -> Result<String, CommandError> {
    let (from, read) = match query.strip_prefix('@') {
        _ if query == "-" => ("stdin", files::read_all(io::stdin().lock(), LONGEST)),
        Some(file) => (file, files::open_piped(Path::new(file)).and_then(|open| files::read_all(open, LONGEST))),
        None => return Ok(query.to_owned()),
    };
    let text = read.map_err(|cause| cause.to_string());
    text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())).map_err(|why| {
        let message = anyhow::anyhow!("cannot read the statement from {from}: {why}");
        CommandError::new(Exit::Usage, message).with_hint("--query takes SQL, @FILE, or - for stdin")
    })
}
