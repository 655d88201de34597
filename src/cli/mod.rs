//! The command line: arguments, output, exit codes. One file a subcommand.

mod baseline;
mod bench;
mod compare;
mod consent;
mod count;
mod exit;
mod explain;
mod fix;
mod flags;
mod format;
mod gates;
mod hide_password;
mod inherited;
mod interrupt;
mod judging;
mod load;
mod managed;
mod output;
mod output_file;
mod progress;
mod reports;
mod rounds;
mod run;
mod scenario;
mod scenarios;
mod seed;
mod server;
mod session;
mod shell;
mod signals;
mod stdout;
mod target;
mod undecided;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{CommandError, Exit};
pub use output::Output;

/// Finds out why a PostgreSQL query has a high p99, and proves how much a fix helps.
#[derive(Debug, Parser)]
#[command(name = "latclinic", version, max_term_width = 100)]
#[command(after_help = "Examples:
  latclinic run                       # the bundled case `events`, before and after its index
  latclinic explain --plan plan.txt   # why a plan is slow
  latclinic explain --database-url postgres://user@host:5432/shop --query 'SELECT 1'

Each command has examples of its own: latclinic COMMAND --help")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One variant a file of this folder.
#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Seed(seed::SeedArgs),
    Bench(bench::BenchArgs),
    Explain(explain::ExplainArgs),
    /// Apply the fix of a scenario
    #[command(after_help = "Examples:
  latclinic apply-fix
  latclinic apply-fix ./orders.toml --database-url postgres://user@host:5432/db --yes")]
    ApplyFix(fix::FixArgs),
    /// Revert the fix of a scenario
    #[command(after_help = "Examples:
  latclinic revert-fix
  latclinic revert-fix ./orders.toml --database-url postgres://user@host:5432/db --yes")]
    RevertFix(fix::RevertArgs),
    Compare(compare::CompareArgs),
    Baseline(baseline::BaselineArgs),
    /// List, show and check scenarios
    #[command(after_help = "Examples:
  latclinic scenarios list
  latclinic scenarios show events
  latclinic scenarios check ./orders.toml")]
    Scenarios(scenarios::ScenariosArgs),
    Server(server::Args),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// Parses the arguments, runs the command, returns its exit code.
pub fn main() -> ExitCode {
    inherited::survive_file_size_limit();
    let mut output = Output::new();
    if let Err(error) = hide_password::hide_password() {
        return output.finish(Err(CommandError::new(Exit::Failed, error)));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output.clap(&error),
    };
    let result: Result<Exit, CommandError> = match cli.command {
        Command::Run(args) => run::run(&args, &mut output),
        Command::Seed(args) => seed::run(&args, &mut output),
        Command::Bench(args) => bench::run(&args, &mut output),
        Command::Explain(args) => explain::run(&args, &mut output),
        Command::ApplyFix(args) => fix::apply(&args, &mut output),
        Command::RevertFix(args) => fix::revert(&args, &mut output),
        Command::Compare(args) => compare::run(&args, &mut output),
        Command::Baseline(args) => baseline::run(&args, &mut output),
        Command::Scenarios(args) => scenarios::run(args, &mut output),
        Command::Server(args) => server::run(args, &mut output),
        Command::Completions(args) => Ok(shell::completions(&args, &mut output)),
        Command::Man(args) => shell::man(&args, &mut output),
    };
    output.finish(result)
}
