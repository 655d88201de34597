//! `--gate`, and how a CI system is told what came of gates and thresholds.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{CommandError, Exit, Output, output_file::OutputFile, undecided::UndecidedArgs};
use crate::{
    compare::Comparison,
    render::{self, CiReport},
    scenario::{Gate, Origin, Scenario},
};

/// The flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gates")]
pub(super) struct GateArgs {
    /// A condition that the comparison must meet, such as 'p99 improves by 2x', 'NAME.p95 regresses less than 10%' or
    /// 'results identical'; may be repeated
    #[arg(long = "gate", value_name = "EXPR", allow_hyphen_values = true, value_parser = gate)]
    pub(super) gates: Vec<Gate>,
    /// Write the results of gates and thresholds into this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Append a short summary in Markdown to this file, such as "$GITHUB_STEP_SUMMARY"
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Annotate the CI job with the gates that did not pass, through commands on stderr
    #[arg(long, value_name = "CI")]
    annotations: Option<AnnotationForm>,
    /// Write the gates that did not pass into this file, as a GitLab Code Quality report
    #[arg(long, value_name = "FILE")]
    code_quality: Option<PathBuf>,
}

/// Whose commands.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum AnnotationForm {
    /// GitHub's workflow commands.
    Github,
}

/// Where a CI system is told, ready to be written: each once, by what there is to say first.
#[derive(Debug)]
pub(super) struct GateFiles {
    junit: Option<OutputFile>,
    summary: Option<OutputFile>,
    annotations: Option<AnnotationForm>,
    code_quality: Option<OutputFile>,
    undecided: UndecidedArgs,
    scenario: Option<String>,
    /// The scenario's file in the repository, which is to blame.
    file: Option<String>,
    /// What was saved.
    folder: Option<PathBuf>,
}

impl GateArgs {
    /// Does `work`, having tried that the files can be written, and tells CI what came of it: of the comparison that `work` has told of
    /// by [`GateFiles::compared`], else of its failure.
    ///
    /// # Errors
    /// When a file cannot be written, and as `work`.
    pub(super) fn telling(
        &self,
        undecided: UndecidedArgs,
        output: &mut Output,
        work: impl FnOnce(&mut Output, &mut GateFiles) -> Result<Exit, CommandError>,
    ) -> Result<Exit, CommandError> {
        let mut files = GateFiles {
            junit: self.junit.as_deref().map(OutputFile::replace).transpose()?,
            summary: self.summary.as_deref().map(OutputFile::append).transpose()?,
            annotations: self.annotations,
            code_quality: self.code_quality.as_deref().map(OutputFile::replace).transpose()?,
            undecided,
            scenario: None,
            file: None,
            folder: None,
        };
        let ended = work(output, &mut files);
        if let Err(failure) = &ended {
            let scenario = files.scenario.take();
            let told = files.tell(output, &CiReport::failed(scenario.as_deref(), failure.words()));
            // The failure itself is what the command ends with.
            if let Err(unwritten) = told {
                output.note(&unwritten.words());
            }
        }
        ended
    }
}

impl GateFiles {
    /// From now on it is about this scenario.
    pub(super) fn about(&mut self, scenario: &Scenario) {
        self.named(&scenario.id);
        self.file = repository_path(scenario);
    }

    /// From now on it is about the scenario of this id.
    pub(super) fn named(&mut self, id: &str) {
        self.scenario = Some(id.to_owned());
    }

    /// From now on something is saved in `folder`.
    pub(super) fn saved(&mut self, folder: &Path) {
        self.folder = Some(folder.to_owned());
    }

    /// Tells what came of a comparison.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn compared(&mut self, output: &Output, comparison: &Comparison) -> Result<(), CommandError> {
        let report = CiReport::compared(comparison).with_undecided(self.undecided.in_reports());
        self.tell(output, &report)
    }

    fn tell(&mut self, output: &Output, report: &CiReport<'_>) -> Result<(), CommandError> {
        if let Some(junit) = self.junit.take() {
            junit.write(&render::junit(report))?;
        }
        if let Some(summary) = self.summary.take() {
            let folder = self.folder.as_ref().map(|folder| folder.display().to_string());
            summary.write(&render::summary(report, folder.as_deref()))?;
        }
        if let Some(code_quality) = self.code_quality.take() {
            let report = render::json(&render::code_quality(report, self.file.as_deref()));
            code_quality.write(&report.map_err(|error| CommandError::new(Exit::Failed, error))?)?;
        }
        if let Some(AnnotationForm::Github) = self.annotations.take() {
            output.ci_commands(render::annotations(report, self.file.as_deref()).trim_end());
        }
        Ok(())
    }
}

/// The file of a scenario from the folder in hand, in CI that of the repository. `None` for a bundled one.
fn repository_path(scenario: &Scenario) -> Option<String> {
    let Origin::File(path) = &scenario.origin else { return None };
    let here = std::env::current_dir().and_then(|folder| folder.canonicalize()).ok();
    let whole = path.canonicalize().ok();
    let within = here.zip(whole).and_then(|(here, whole)| whole.strip_prefix(here).map(Path::to_owned).ok());
    Some(within.unwrap_or_else(|| path.clone()).display().to_string())
}

fn gate(text: &str) -> Result<Gate, String> {
    Gate::parse(text).map_err(|fault| fault.render(text))
}
