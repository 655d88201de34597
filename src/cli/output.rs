//! The only way to stdout and stderr.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use super::{
    exit::{CommandError, Exit},
    stdout::Stdout,
};
use crate::render;

/// Results go to stdout, everything else to stderr.
#[derive(Debug)]
pub struct Output {
    stdout: Stdout,
    colour: bool,
    width: usize,
}

impl Output {
    /// Reads `NO_COLOR` and the terminals once.
    pub fn new() -> Self {
        Self { stdout: Stdout::new(), colour: !no_colour() && io::stdout().is_terminal(), width: 80 }
    }

    /// Whether stdout takes colour.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Columns that a table may use.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A part of the result, to stdout, with a line end. Whether it gets there is known at the end, see [`Output::finish`].
    pub fn result(&mut self, text: &str) {
        self.stdout.write_line(text);
    }

    /// The place where something was saved, in the last line of the result; to stderr as well where the result is lost.
    pub fn saved(&mut self, text: &str) {
        self.result(text);
        if self.stdout.failure().is_some() {
            self.note(text.trim());
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
        let text = error.render();
        let worded = |colour: bool| if colour { text.ansi().to_string() } else { text.to_string() };
        if error.use_stderr() {
            self.styled(worded(!no_colour() && io::stderr().is_terminal()).trim_end_matches('\n'));
            return Exit::Usage.into();
        }
        self.result(&worded(self.colour));
        self.finish(Ok(Exit::Done))
    }

    /// Reports a failure and gives the code to exit with.
    ///
    /// A result that could not be written is a failure, unless its reader has gone away (`| head`): then the code is the command's
    /// own, as it is after a signal, which may have come with the end of the terminal.
    pub fn finish(&mut self, result: Result<Exit, CommandError>) -> ExitCode {
        let exit = match result {
            Ok(exit) => exit,
            Err(failure) => {
                self.failure(&failure.words(), failure.hint.as_deref());
                failure.exit
            }
        };
        match self.stdout.failure() {
            Some(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                let hint = "make sure that stdout can be written to, and run the command again";
                self.failure(&format!("cannot write the result to stdout: {cause}"), Some(hint));
                if exit.is_by_signal() { exit.into() } else { Exit::Failed.into() }
            }
            _ => exit.into(),
        }
    }

    fn failure(&self, words: &str, hint: Option<&str>) {
        self.note(&format!("error: {words}"));
        if let Some(hint) = hint {
            self.note(&format!("  help: {hint}"));
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
