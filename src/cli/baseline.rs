//! `latclinic baseline save | list | show`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    CommandError, Exit, Output,
    format::{Format, FormatArgs},
};
use crate::{
    clinic::{self, Baselines},
    record::Baseline,
    render,
};

/// Save records as baselines for later comparisons
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic baseline save main                  # the newest record of phase after
  latclinic baseline save main reports/events/20261130T194500Z-bench --replace
  latclinic compare --baseline main             # compare a later record with it")]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Save a record with its response times in one file that can be kept in a repository
    #[command(after_help = "Examples:
  latclinic baseline save main
  latclinic baseline save main reports/events/20261130T194500Z-bench --output ci/main.json")]
    Save {
        /// Name of the baseline: A-Z, a-z, 0-9, `.`, `_` and `-`
        name: String,
        /// Folder of a record, or its record.json [default: the newest record of phase after]
        record: Option<PathBuf>,
        /// Scenario whose newest record is saved [default: the one measured last]
        #[arg(long, value_name = "ID", conflicts_with = "record")]
        scenario: Option<String>,
        /// Replace the baseline of that name
        #[arg(long)]
        replace: bool,
        /// Write into this file [default: REPORTS/baselines/NAME.json]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        shared: Shared,
    },
    /// List the baselines
    #[command(after_help = "Examples:
  latclinic baseline list
  latclinic baseline list --format json")]
    List {
        #[command(flatten)]
        shared: Shared,
    },
    /// Show the record of a baseline
    #[command(after_help = "Examples:
  latclinic baseline show main
  latclinic baseline show ci/main.json --format markdown")]
    Show {
        /// Name of a baseline, or path of its file
        name: String,
        #[command(flatten)]
        shared: Shared,
    },
}

#[derive(Debug, Args)]
struct Shared {
    /// Folder of all reports
    #[arg(long, value_name = "DIR", default_value = "reports", help_heading = "Output")]
    reports: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

/// Runs it.
///
/// # Errors
/// As [`clinic::save_baseline`], [`clinic::list_baselines`] and [`clinic::find_baseline`].
pub(super) fn run(args: &BaselineArgs, output: &mut Output) -> Result<Exit, CommandError> {
    match &args.action {
        Action::Save { name, record, scenario, replace, output: file, shared } => {
            let (file, baseline) = clinic::save_baseline(
                &shared.reports,
                name,
                record.as_deref(),
                scenario.as_deref(),
                file.as_deref(),
                *replace,
            )?;
            let document = render::baselines(&[(file.as_path(), &baseline)]);
            shared.format.format.show_saved(output, &document, &data(&file, &baseline), Some(&file))?;
        }
        Action::List { shared } => {
            let Baselines { readable, unreadable } = clinic::list_baselines(&shared.reports)?;
            for error in unreadable {
                output.note(&format!("skipped: {error}"));
            }
            if readable.is_empty() && shared.format.format == Format::Table {
                output.note("there are no baselines; save one: latclinic baseline save NAME");
                return Ok(Exit::Done);
            }
            let rows: Vec<(&Path, &Baseline)> =
                readable.iter().map(|(file, baseline)| (file.as_path(), baseline)).collect();
            let all: Vec<Value> = rows.iter().map(|(file, baseline)| data(file, baseline)).collect();
            shared.format.format.show(output, &render::baselines(&rows), &all)?;
        }
        Action::Show { name, shared } => {
            let (file, baseline) = clinic::find_baseline(&shared.reports, name)?;
            let mut document = render::baselines(&[(file.as_path(), &baseline)]);
            document.blocks.extend(render::record(&baseline.record).blocks);
            let mut shown = data(&file, &baseline);
            shown["record"] = json!(baseline.record);
            shared.format.format.show(output, &document, &shown)?;
        }
    }
    Ok(Exit::Done)
}

/// What a baseline is, without its record.
fn data(file: &Path, baseline: &Baseline) -> Value {
    let Baseline { name, saved_at, record, .. } = baseline;
    json!({
        "name": name,
        "file": file.display().to_string(),
        "saved_at": saved_at,
        "scenario": record.scenario,
        "phase": record.phase,
        "started_at": record.started_at,
        "tool": record.tool,
        "p99_ms": record.latency_ms.p99,
        "samples": record.latency_ms.samples,
    })
}
