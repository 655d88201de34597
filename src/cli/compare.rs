//! `latclinic compare`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    CommandError, Exit, Output,
    format::{DetailsArgs, FormatArgs},
    gates::{GateArgs, GateFiles},
    judging::JudgingArgs,
    reports::ReportsArgs,
    undecided::UndecidedArgs,
};
use crate::{
    clinic::{self, BeforeSide, CompareRequest},
    record, render,
};

/// Compare two records: what changed, by how much, and how sure that is
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic compare                            # the newest record of each phase
  latclinic compare reports/events/20261130T194500Z-run --details
  latclinic compare --baseline main --gate 'p99 regresses less than 10%'")]
pub(super) struct CompareArgs {
    /// Folders (or record.json) of the two records; the folder of one run stands for both its phases, the folders of two
    /// runs for their phases after. With --baseline, only the second record [default: the newest record of each phase]
    #[arg(value_names = ["BEFORE", "AFTER"], num_args = 1..=2)]
    records: Vec<PathBuf>,
    /// Compare with this baseline, by name or file, instead of a first record
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// Scenario whose newest records are compared [default: the one measured last]
    #[arg(long, value_name = "ID", conflicts_with = "records")]
    scenario: Option<String>,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    gates: GateArgs,
    #[command(flatten)]
    undecided: UndecidedArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    details: DetailsArgs,
}

impl CompareArgs {
    /// What stands on each side.
    fn sides(&self) -> Result<(BeforeSide<'_>, Option<&Path>), CommandError> {
        match (&self.baseline, self.records.as_slice()) {
            (None, []) => Ok((BeforeSide::Newest, None)),
            (None, [before, after, ..]) => Ok((BeforeSide::Record(before), Some(after))),
            (Some(baseline), []) => Ok((BeforeSide::Baseline(baseline), None)),
            (Some(baseline), [after]) => Ok((BeforeSide::Baseline(baseline), Some(after))),
            (None, [run]) if record::sides_of_run(run).is_some() => Ok((BeforeSide::Run(run), None)),
            (None, [_]) => Err(CommandError::new(
                Exit::Usage,
                anyhow::anyhow!("only one record is given, and a comparison needs two"),
            )
            .with_hint("name two records, the folder of one run, or none to compare the newest two")),
            (Some(_), [_, _, ..]) => Err(CommandError::new(
                Exit::Usage,
                anyhow::anyhow!("--baseline conflicts with a first record (both are the side before)"),
            )
            .with_hint("with --baseline, name only the record after the fix")),
        }
    }
}

/// Runs it.
///
/// # Errors
/// As [`clinic::compare`]; exit 4 when there is nothing that can be compared.
pub(super) fn run(args: &CompareArgs, output: &mut Output) -> Result<Exit, CommandError> {
    args.gates.telling(args.undecided, output, |output, files| compare(args, output, files))
}

fn compare(args: &CompareArgs, output: &mut Output, files: &mut GateFiles) -> Result<Exit, CommandError> {
    if let Some(id) = &args.scenario {
        files.named(id);
    }
    let judging = args.judging.judging(&args.gates.gates);
    let (before, after) = args.sides()?;
    let request = CompareRequest {
        judging: &judging,
        before,
        after,
        reports: &args.reports.reports,
        scenario: args.scenario.as_deref(),
        output: args.reports.output.as_deref(),
    };
    let compared = clinic::compare(&request, |comparison| render::markdown(&render::comparison(comparison)))?;
    for folder in &compared.empty {
        output.note(&format!("skipped, because nothing was measured in it: {}", folder.display()));
    }
    files.saved(&compared.folder);
    // First, for a pipe may keep stdout waiting as long as its reader likes.
    let told = files.compared(output, &compared.comparison);
    let folder = Some(compared.folder.as_path());
    args.format.format.show_comparison(output, &compared.comparison, args.details, None, folder)?;
    told?;
    Ok(args.undecided.exit(compared.comparison.outcome()))
}
