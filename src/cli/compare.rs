//! `latclinic compare`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    CommandError, Exit, Output,
    format::FormatArgs,
    gates::{GateArgs, GateFiles},
    judging::JudgingArgs,
    reports::ReportsArgs,
    undecided::UndecidedArgs,
};
use crate::{
    clinic::{self, BeforeSide, CompareRequest},
    record, render,
};

/// Compare a record of each phase: what changed, by how much, and what stands behind it
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Folder or record.json of the phase before, and that of the phase after; without them the newest two. One folder of a run: both its
    /// phases; two: what they came to, their phases after. With --baseline only the second one; without it the newest of the
    /// baseline's phase
    #[arg(value_names = ["BEFORE", "AFTER"], num_args = 1..=2)]
    records: Vec<PathBuf>,
    /// Compare with this baseline instead of a record before: its name, or its file
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// Scenario whose newest records are compared; without it the one measured last
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
            (None, [_]) => {
                Err(CommandError::new(Exit::Usage, anyhow::anyhow!("there is a record before, and none after"))
                    .with_hint("name both, one folder of a run, or none to compare the newest two"))
            }
            (Some(_), [_, _, ..]) => Err(CommandError::new(
                Exit::Usage,
                anyhow::anyhow!("--baseline and a record before: one of them is enough"),
            )
            .with_hint("with --baseline name only the record after")),
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
        output.note(&format!("passed over, because nothing was measured in it: {}", folder.display()));
    }
    files.saved(&compared.folder);
    let document = render::comparison(&compared.comparison);
    // First, for a pipe may keep stdout waiting as long as its reader likes.
    let told = files.compared(output, &compared.comparison);
    args.format.format.show_saved(output, &document, &compared.comparison, Some(&compared.folder))?;
    told?;
    Ok(args.undecided.exit(compared.comparison.outcome()))
}
