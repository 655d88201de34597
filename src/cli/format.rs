//! `--format`: how a result is shown.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{CommandError, Exit, Output};
use crate::render::{self, Document};

/// The flag.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct FormatArgs {
    /// How to show the result on stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
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
        let written = format!("written: {}", folder.display());
        match self {
            Self::Table | Self::Markdown => output.saved(&format!("\n{written}")),
            Self::Json => output.note(&written),
        }
        Ok(())
    }
}
