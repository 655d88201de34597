//! The command line: arguments, output, exit codes. One file a subcommand.

mod compare;
mod exit;
mod format;
mod output;
mod reports;
mod scenarios;
mod interrupt;
mod managed;
mod output;
mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{CommandError, Exit};
pub use output::Output;

/// Measures a PostgreSQL query under concurrent load before and after a fix, and says what the fix changed.
#[derive(Debug, Parser)]
#[command(name = "latclinic", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One variant a file of this folder.
#[derive(Debug, Subcommand)]
enum Command {
    Compare(compare::CompareArgs),
    /// Lists, shows and checks scenarios
    Scenarios(scenarios::ScenariosArgs),
    /// Start, stop, look into or delete the managed PostgreSQL
    Server(server::Args),
}

/// Parses the arguments, runs the command, returns its exit code.
pub fn main() -> ExitCode {
    let mut output = Output::new();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output.clap(&error),
    };
    let result: Result<Exit, CommandError> = match cli.command {
        Command::Compare(args) => compare::run(&args, &mut output),
        Command::Scenarios(args) => scenarios::run(args, &mut output),
        Command::Server(args) => server::run(args, &mut output),
    };
    output.finish(result)
}
