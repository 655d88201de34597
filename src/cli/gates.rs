//! `--gate`, and how a CI system is told what came of gates and thresholds.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{CommandError, Exit, Output, output_file::OutputFile};
use crate::{
    compare::Comparison,
    render,
    scenario::{Gate, Origin, Scenario},
};

/// The flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gates")]
pub(super) struct GateArgs {
    /// What the comparison has to keep, such as 'p99 improves by 2x', 'NAME.p95 regresses less than 10%' or 'results identical';
    /// may be repeated
    #[arg(long = "gate", value_name = "EXPR", allow_hyphen_values = true, value_parser = gate)]
    pub(super) gates: Vec<Gate>,
    /// Write what came of gates and thresholds into this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Add a short summary to this file, as Markdown, such as "$GITHUB_STEP_SUMMARY"
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Annotate the CI job with the gates that did not pass, by commands on stderr
    #[arg(long, value_name = "CI")]
    annotations: Option<AnnotationForm>,
    /// Write the gates that did not pass into this file, as a report of GitLab's Code Quality
    #[arg(long, value_name = "FILE")]
    code_quality: Option<PathBuf>,
}

/// Whose commands.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum AnnotationForm {
    /// GitHub's workflow commands.
    Github,
}

/// Where a CI system is told, ready to be written.
#[derive(Debug)]
pub(super) struct GateFiles {
    junit: Option<OutputFile>,
    summary: Option<OutputFile>,
    annotations: Option<AnnotationForm>,
    code_quality: Option<OutputFile>,
}

impl GateArgs {
    /// Tries that the files can be written.
    ///
    /// # Errors
    /// When one cannot.
    pub(super) fn open(&self) -> Result<GateFiles, CommandError> {
        Ok(GateFiles {
            junit: self.junit.as_deref().map(OutputFile::replace).transpose()?,
            summary: self.summary.as_deref().map(OutputFile::append).transpose()?,
            annotations: self.annotations,
            code_quality: self.code_quality.as_deref().map(OutputFile::replace).transpose()?,
        })
    }
}

impl GateFiles {
    /// Writes what came of a comparison, which is saved in `folder`. The scenario says which file is to blame.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn write(
        self,
        output: &Output,
        comparison: &Comparison,
        folder: &Path,
        scenario: Option<&Scenario>,
    ) -> Result<(), CommandError> {
        let file = scenario.and_then(repository_path);
        if let Some(junit) = self.junit {
            junit.write(&render::junit(comparison))?;
        }
        if let Some(summary) = self.summary {
            summary.write(&render::summary(comparison, &folder.display().to_string()))?;
        }
        if let Some(code_quality) = self.code_quality {
            let file = file.clone().unwrap_or_else(|| format!("scenarios/{}.toml", comparison.scenario));
            let report = render::json(&render::code_quality(comparison, &file));
            code_quality.write(&report.map_err(|error| CommandError::new(Exit::Failed, error))?)?;
        }
        match self.annotations {
            Some(AnnotationForm::Github) => output.note(render::annotations(comparison, file.as_deref()).trim_end()),
            None => {}
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
