//! The only way to stdout and stderr.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use super::{
    exit::{CommandError, Exit},
    stdout::Stdout,
};
use crate::render::{self, Document};

/// Columns below which nothing could be read.
const NARROWEST: usize = 40;
/// Columns above which a line of text is hard to read.
const WIDEST: usize = 140;

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
        Self { stdout: Stdout::new(), colour: !no_colour() && io::stdout().is_terminal(), width: width() }
    }

    /// Columns that a table may use.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A part of the result, to stdout, with a line end. Whether it gets there is known at the end, see [`Output::finish`].
    pub fn result(&mut self, text: &str) {
        self.stdout.write_line(&render::harmless(text));
    }

    /// A result that nobody else had a part in, as it is: a script for a shell.
    pub fn own(&mut self, text: &str) {
        self.stdout.write_line(text);
    }

    /// A document, to stdout.
    pub fn document(&mut self, document: &Document) {
        let styled = |colour| render::terminal(document, self.width, colour);
        let text = chosen(&styled(false), self.colour, || styled(true));
        self.stdout.write_line(&text);
    }

    /// The place where something was saved, in the last line of the result; to stderr as well where the result is lost.
    pub fn saved(&mut self, text: &str) {
        self.result(text);
        if self.stdout.failure().is_some() {
            self.note(text.trim());
        }
    }

    /// A line about what is going on, to stderr: it may quote a server or a file.
    pub fn note(&self, text: &str) {
        to_stderr(&render::harmless(text));
    }

    /// The same, which `coloured` writes for a terminal.
    pub fn styled(&self, text: &str, coloured: impl FnOnce() -> String) {
        to_stderr(&chosen(text, !no_colour() && io::stderr().is_terminal(), coloured));
    }

    /// Commands to a CI system, a line each, to stderr.
    pub fn ci_commands(&self, commands: &str) {
        to_stderr(commands);
    }

    /// Shows help, version or a usage error as clap made it.
    pub fn clap(&mut self, error: &clap::Error) -> ExitCode {
        let text = error.render();
        let plain = text.to_string();
        let coloured = || text.ansi().to_string().trim_end_matches('\n').to_owned();
        if error.use_stderr() {
            self.styled(plain.trim_end_matches('\n'), coloured);
            return Exit::Usage.into();
        }
        self.stdout.write_line(&chosen(&plain, self.colour, coloured));
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
                self.failure(&failure.words(), failure.way_out().as_deref());
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

/// Text as it may be written; in colour only if there is nothing in it that would have to be taken out, since what colours is written the
/// same way.
fn chosen(plain: &str, colour: bool, coloured: impl FnOnce() -> String) -> String {
    let harmless = render::harmless(plain);
    if colour && harmless == plain { coloured() } else { harmless }
}

/// That of the terminal, within reason; 80 elsewhere, so that a pipe or a file has the same text wherever it is written.
fn width() -> usize {
    let terminal = if io::stdout().is_terminal() { console::Term::stdout().size_checked() } else { None };
    terminal.map_or(80, |(_, columns)| usize::from(columns).clamp(NARROWEST, WIDEST))
}

fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether `NO_COLOR` asks for none.
pub(super) fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
