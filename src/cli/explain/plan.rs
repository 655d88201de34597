//! `latclinic explain --plan FILE|-`

use std::{
    fs::File,
    io::{self, IsTerminal},
};

use super::super::{CommandError, Exit, Output, format::Format};
use crate::{clinic, render};

/// Examines the plans of a file, or of stdin for `-`.
pub(super) fn run(file: &str, format: Format, output: &mut Output) -> Result<(), CommandError> {
    let examinations = if file == "-" {
        if io::stdin().is_terminal() {
            output.note("paste the plan, then end the input with Ctrl-D");
        }
        clinic::examine_plans("stdin", io::stdin().lock())?
    } else {
        let opened = File::open(file).map_err(|cause| {
            let exit = if cause.kind() == io::ErrorKind::NotFound { Exit::Usage } else { Exit::Failed };
            let error = anyhow::Error::new(cause).context(format!("cannot open {file}"));
            CommandError::new(exit, error).with_hint("give a file that holds what EXPLAIN printed, or `-` for stdin")
        })?;
        clinic::examine_plans(file, opened)?
    };
    format.show(output, &render::examination(&examinations), &examinations)
}
