//! The only way to stdout and stderr.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use super::exit::{CommandError, Exit};
use crate::render;

/// Results go to stdout, everything else to stderr.
#[derive(Debug)]
pub struct Output {
    colour: bool,
    width: usize,
}

impl Output {
    /// Reads `NO_COLOR` and the terminals once.
    pub fn new() -> Self {
        Self { colour: !no_colour() && io::stdout().is_terminal(), width: 80 }
    }

    /// Whether stdout takes colour.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Columns that a table may use.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A part of the result, to stdout, with a line end. A reader that has gone away (`| head`) ends the program quietly.
    pub fn result(&mut self, text: &str) {
        let mut stdout = io::stdout().lock();
        if writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush()).is_err() {
            quit_quietly();
        }
    }

    /// A line about what is going on, to stderr, without what would control a terminal: it may quote a server or a file.
    pub fn note(&self, text: &str) {
        self.styled(&render::clean_lines(text));
    }

    /// A line to stderr that has been styled for a terminal.
    pub fn styled(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Shows help, version or a usage error as clap made it.
    pub fn clap(&mut self, error: &clap::Error) -> ExitCode {
        let _ = error.print();
        if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
    }

    /// Reports a failure and gives the code to exit with.
    pub fn finish(&mut self, result: Result<Exit, CommandError>) -> ExitCode {
        match result {
            Ok(exit) => exit.into(),
            Err(failure) => {
                self.note(&format!("error: {}", failure.words()));
                if let Some(hint) = failure.hint {
                    self.note(&format!("  help: {hint}"));
                }
                failure.exit.into()
            }
        }
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether `NO_COLOR` asks for none.
pub(super) fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

#[expect(clippy::exit, reason = "a closed stdout leaves nobody to tell; 0 as for any filter")]
fn quit_quietly() -> ! {
    std::process::exit(0)
}
