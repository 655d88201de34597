//! `latclinic explain --plan FILE|-`

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use super::super::{CommandError, Exit, Output, format::Format};
use crate::{clinic, files, render};

/// Examines the plans of a file, or of stdin for `-`.
pub(super) fn run(file: &str, format: Format, output: &mut Output) -> Result<(), CommandError> {
    let examinations = if file == "-" {
        if io::stdin().is_terminal() {
            output.note("paste the plan, then end the input with Ctrl-D");
        }
        clinic::examine_plans("stdin", io::stdin().lock())?
    } else {
        let opened = files::open_piped(Path::new(file)).map_err(|cause| {
            let wrong = matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput);
            let exit = if wrong { Exit::Usage } else { Exit::Failed };
            let error = anyhow::Error::new(cause).context(format!("cannot read a plan from {file}"));
            CommandError::new(exit, error).with_hint("give a file that holds what EXPLAIN printed, or `-` for stdin")
        })?;
        clinic::examine_plans(file, opened)?
    };
    format.show(output, &render::examination(&examinations), &examinations)
}
