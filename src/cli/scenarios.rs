//! `latclinic scenarios list | show | check | schema`.

mod describe;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::{CommandError, Exit, Output};
use crate::{
    clinic, render,
    scenario::{self, Fault, Scenario},
    text,
};
use describe::{describe, indent};

/// Lists, shows and checks scenarios.
#[derive(Debug, clap::Args)]
pub(crate) struct ScenariosArgs {
    #[command(subcommand)]
    command: ScenariosCommand,
}

#[derive(Debug, Subcommand)]
enum ScenariosCommand {
    /// List the bundled scenarios
    #[command(after_help = "Examples:
  latclinic scenarios list
  latclinic scenarios list --format json")]
    List {
        /// Format of the list
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Show the dataset, workload, load and fix of a scenario
    #[command(after_help = "Examples:
  latclinic scenarios show events
  latclinic scenarios show ./orders.toml --format json")]
    Show {
        /// Id of a bundled scenario, or path of a TOML file
        #[arg(default_value = "events")]
        scenario: String,
        /// Format of the description
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Report every fault of scenario files; exits with 2 if there is one
    #[command(after_help = "Examples:
  latclinic scenarios check ./orders.toml
  latclinic scenarios check scenarios/*.toml --format json")]
    Check {
        /// Paths of TOML files, or ids of bundled scenarios
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// `table`: each fault with its line, to stderr; `json`: a list, to stdout
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print the JSON Schema of scenario files, which documents every key and generator
    #[command(after_help = "Examples:
  latclinic scenarios schema > latclinic.schema.json
  latclinic scenarios schema | less")]
    Schema,
}

/// For a person or for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs the command.
pub(crate) fn run(args: ScenariosArgs, output: &mut Output) -> Result<Exit, CommandError> {
    match args.command {
        ScenariosCommand::List { format } => list(format, output),
        ScenariosCommand::Show { scenario, format } => show(&scenario, format, output),
        ScenariosCommand::Check { files, format } => check(&files, format, output),
        ScenariosCommand::Schema => json(&scenario::json_schema(), output),
    }
}

impl From<scenario::Error> for CommandError {
    /// Any failure to load a scenario is a matter of usage.
    fn from(error: scenario::Error) -> Self {
        match error {
            scenario::Error::Faults(faults) => {
                let summary = format!("{} has {}", faults.file(), text::counted(faults.len(), "fault"));
                Self::new(Exit::Usage, anyhow::anyhow!("{summary}\n\n{}\n", faults.render(false)))
            }
            error @ scenario::Error::NotFound { .. } => Self::new(Exit::Usage, error)
                .with_hint("`latclinic scenarios list` shows them; a path with a `/` or `.toml` names a file"),
            error => Self::new(Exit::Usage, error),
        }
    }
}

#[derive(Serialize)]
struct Listed {
    id: &'static str,
    title: String,
    description: String,
    rows: u64,
}

fn list(format: Format, output: &mut Output) -> Result<Exit, CommandError> {
    let mut listed = Vec::new();
    for id in scenario::bundled() {
        let scenario = Scenario::bundled(id)?;
        let rows = scenario.rows_by_table().values().sum();
        listed.push(Listed { id, title: scenario.title, description: scenario.description, rows });
    }
    if format == Format::Json {
        return json(&listed, output);
    }
    let widest = listed.iter().map(|line| line.id.len()).max().unwrap_or(0);
    for Listed { id, title, .. } in &listed {
        output.result(&indent(title, &format!("{id:widest$}  "), output.width()));
    }
    Ok(Exit::Done)
}

fn show(name: &str, format: Format, output: &mut Output) -> Result<Exit, CommandError> {
    let scenario = super::scenario::load(name)?;
    if format == Format::Json {
        return json(&scenario, output);
    }
    output.result(&describe(&scenario, output.width()));
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Checked<'a> {
    file: &'a str,
    faults: Vec<Fault>,
}

fn check(files: &[String], format: Format, output: &mut Output) -> Result<Exit, CommandError> {
    let (mut checked, mut exit) = (Vec::new(), Exit::Done);
    for file in files {
        let faults = match clinic::check_scenario(file) {
            Ok(_) if format == Format::Table => {
                output.result(&format!("{file}: ok"));
                Vec::new()
            }
            Ok(_) => Vec::new(),
            Err(scenario::Error::Faults(faults)) => {
                exit = Exit::Usage;
                if format == Format::Table {
                    let told = |colour| {
                        format!("{}\n\n{file}: {}\n", faults.render(colour), text::counted(faults.len(), "fault"))
                    };
                    output.styled(&told(false), || told(true));
                }
                faults.iter().cloned().collect()
            }
            // A file that is not there is no fault in it, and ends the check.
            Err(error) => return Err(error.into()),
        };
        checked.push(Checked { file, faults });
    }
    if format == Format::Json {
        json(&checked, output)?;
    }
    Ok(exit)
}

fn json(value: &impl Serialize, output: &mut Output) -> Result<Exit, CommandError> {
    let text = render::json(value).map_err(|error| CommandError::new(Exit::Failed, error))?;
    output.result(&text);
    Ok(Exit::Done)
}
