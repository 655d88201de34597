//! `--format`: how a result is shown.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{CommandError, Exit, Output};
use crate::{
    compare::Comparison,
    render::{self, Document},
};

/// The flag.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct FormatArgs {
    /// Format of the result on stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
}

/// How much of a comparison is shown.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct DetailsArgs {
    /// Show all of a comparison: every plan and statement, what writes cost, what was measured, all notes
    #[arg(long)]
    details: bool,
}

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Format {
    /// Text with tables, for a terminal.
    #[default]
    Table,
    /// The data, for a program.
    Json,
    /// Markdown as GitHub renders it.
    Markdown,
}

impl Format {
    /// Shows a result.
    ///
    /// # Errors
    /// When the data cannot be written as JSON.
    pub(super) fn show(
        self,
        output: &mut Output,
        document: &Document,
        data: &impl Serialize,
    ) -> Result<(), CommandError> {
        match self {
            Self::Table => output.document(document),
            Self::Markdown => output.result(&render::markdown(document)),
            Self::Json => output.result(&render::json(data).map_err(|error| CommandError::new(Exit::Failed, error))?),
        }
        Ok(())
    }

    /// Shows a comparison and names the folder that was written, if one could be. `fix_left` says how the fix was left.
    ///
    /// # Errors
    /// When the data cannot be written as JSON.
    pub(super) fn show_comparison(
        self,
        output: &mut Output,
        comparison: &Comparison,
        details: DetailsArgs,
        fix_left: Option<&str>,
        folder: Option<&Path>,
    ) -> Result<(), CommandError> {
        if self == Self::Table && !details.details {
            output.document(&render::brief(comparison, fix_left, output.width()));
            if let Some(folder) = folder {
                output.saved(&written(folder));
            }
            return Ok(());
        }
        self.show_saved(output, &render::comparison(comparison), comparison, folder)
    }

    /// Shows a result and names the folder that was written, if one could be: in the last line of stdout, but of stderr where
    /// stdout is JSON, which must stay JSON.
    ///
    /// # Errors
    /// When the data cannot be written as JSON.
    pub(super) fn show_saved(
        self,
        output: &mut Output,
        document: &Document,
        data: &impl Serialize,
        folder: Option<&Path>,
    ) -> Result<(), CommandError> {
        self.show(output, document, data)?;
        let Some(folder) = folder else { return Ok(()) };
        let written = written(folder);
        match self {
            Self::Table | Self::Markdown => output.saved(&format!("\n{written}")),
            Self::Json => output.note(&written),
        }
        Ok(())
    }
}

fn written(folder: &Path) -> String {
    format!("written: {}", folder.display())
}
