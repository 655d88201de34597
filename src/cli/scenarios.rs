//! `latclinic scenarios list | show | check | schema`.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal},
};

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::{CommandError, Exit, Output};
use crate::scenario::{self, Fault, Scenario, SqlText, Value};

/// Lists, shows and checks scenarios.
#[derive(Debug, clap::Args)]
pub(crate) struct ScenariosArgs {
    #[command(subcommand)]
    command: ScenariosCommand,
}

#[derive(Debug, Subcommand)]
enum ScenariosCommand {
    /// The bundled scenarios
    List {
        /// How to print them
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// What a scenario consists of
    Show {
        /// A bundled id, or a path to a TOML file
        #[arg(default_value = "events")]
        scenario: String,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Reports every fault of scenario files; exits with 2 if there is one
    Check {
        /// Paths to TOML files, or bundled ids
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// `table`: each fault with its line, to stderr; `json`: a list, to stdout
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// The JSON Schema of a scenario file, which documents every key and generator
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
                let summary = format!("{} has {}", faults.file(), count(faults.len(), "fault"));
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
    let scenario = scenario::load(name)?;
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
    let colour = output.colour() && io::stderr().is_terminal();
    let (mut checked, mut exit) = (Vec::new(), Exit::Done);
    for file in files {
        let faults = match scenario::load(file) {
            Ok(_) if format == Format::Table => {
                output.result(&format!("{file}: ok"));
                Vec::new()
            }
            Ok(_) => Vec::new(),
            Err(scenario::Error::Faults(faults)) => {
                exit = Exit::Usage;
                if format == Format::Table {
                    output.note(&format!("{}\n\n{file}: {}\n", faults.render(colour), count(faults.len(), "fault")));
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
    let text = serde_json::to_string_pretty(value).map_err(|error| CommandError::new(Exit::Failed, error))?;
    output.result(&text);
    Ok(Exit::Done)
}

/// The scenario as a person reads it.
fn describe(scenario: &Scenario, width: usize) -> String {
    let mut text = format!("{}: {}\n", scenario.id, scenario.title);
    if !scenario.description.is_empty() {
        let _ = write!(text, "\n{}", indent(&scenario.description, "  ", width));
    }
    let dataset = &scenario.dataset;
    let _ = writeln!(text, "\nDataset, seed {}, schema in {}", dataset.seed, dataset.schema.source);
    for table in &dataset.tables {
        let _ = writeln!(text, "  {}, {} rows", table.name, grouped(table.rows));
        let widest = table.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
        for column in &table.columns {
            let mut words = column.generator.to_string();
            if column.null_share > 0.0 {
                let _ = write!(words, "; NULL {} %", (column.null_share * 1e4).round() / 100.0);
            }
            text.push_str(&indent(&words, &format!("    {:widest$}  ", column.name), width));
        }
    }
    text.push_str("\nWorkload\n");
    for statement in &scenario.statements {
        let script = scenario.scripts.iter().find(|script| script.name == statement.name);
        let weight = script.map(|script| format!(", weight {}", script.weight)).unwrap_or_default();
        let _ = writeln!(text, "  {}{weight}", statement.name);
        text.push_str(&sql(&statement.sql, width));
        for (index, parameter) in statement.parameters.iter().enumerate() {
            text.push_str(&indent(&parameter.source.to_string(), &format!("    ${}  ", index + 1), width));
        }
        let classes = &statement.classes;
        let named = [("hot", &classes.hot), ("typical", &classes.typical), ("absent", &classes.absent)];
        let named: Vec<String> = named
            .into_iter()
            .filter_map(|(name, values)| values.as_ref().map(|values| format!("{name} {}", listed(values))))
            .collect();
        if !named.is_empty() {
            text.push_str(&indent(&named.join(", "), "    plans for ", width));
        }
    }
    let load = &scenario.load;
    let _ = writeln!(
        text,
        "\nLoad\n  {}, {} s after {} s of warm-up, seed {}",
        count(load.clients as usize, "client"),
        load.duration.as_secs_f64(),
        load.warmup.as_secs_f64(),
        load.seed
    );
    let fix = &scenario.fix;
    let _ = writeln!(text, "\nFix: {}", fix.title);
    let _ = writeln!(text, "  lock timeout {} s", fix.lock_timeout.as_secs_f64());
    for (name, commands) in [("up", &fix.up), ("down", &fix.down)] {
        let _ = writeln!(text, "  {name}, {}", commands.source);
        text.push_str(&sql(commands, width));
    }
    text
}

/// Statements, indented; broken only where they are already.
fn sql(text: &SqlText, width: usize) -> String {
    text.statements.iter().map(|statement| indent(&format!("{};", statement.text), "    ", width)).collect()
}

fn listed(values: &[Value]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// Breaks text at spaces to fit `width`, each line beneath the end of `head`.
fn indent(text: &str, head: &str, width: usize) -> String {
    let margin = " ".repeat(head.chars().count());
    let room = width.saturating_sub(margin.len()).max(20);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for (index, word) in paragraph.split(' ').enumerate() {
            if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(std::mem::take(&mut line));
            } else if index > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    let mut indented = String::new();
    for (index, line) in lines.iter().enumerate() {
        let _ = writeln!(indented, "{}", format!("{}{line}", if index == 0 { head } else { &margin }).trim_end());
    }
    indented
}

/// `1 000 000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
