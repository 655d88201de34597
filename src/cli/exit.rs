//! Exit codes, decided in one place.

use std::process::ExitCode;

use super::flags::in_flags;
use crate::{
    clinic::{self, ErrorKind},
    text::Field,
};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The tool or the database failed.
    Failed = 1,
    /// Usage, an invalid scenario, or a file, record or baseline that is not there.
    Usage = 2,
    /// A gate failed.
    GateFailed = 3,
    /// A gate or comparison could not be decided.
    Undecided = 4,
    /// SIGHUP.
    HungUp = 129,
    /// Ctrl-C.
    Interrupted = 130,
    /// SIGQUIT.
    Quit = 131,
    /// SIGTERM.
    Terminated = 143,
}

/// A failure that ends a command: its code, its words, a way out.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code.
    pub exit: Exit,
    /// The chain of causes, outermost first; lower-case fragments.
    pub error: anyhow::Error,
    /// The way out.
    pub hint: Option<String>,
    /// Fields of the request that its words name, which a person knows as flags.
    pub fields: Vec<Field>,
}

impl CommandError {
    /// A failure with an exit code.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into(), hint: None, fields: Vec::new() }
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The chain of causes on one line, without what its parts repeat.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for part in self.error.chain().map(ToString::to_string) {
            if words.last().is_none_or(|last| !last.contains(&part)) {
                words.push(part);
            }
        }
        in_flags(&words.join(": "), &self.fields)
    }

    /// The way out, where one is known.
    pub fn way_out(&self) -> Option<String> {
        self.hint.as_deref().map(|hint| in_flags(hint, &self.fields))
    }
}

impl From<clinic::Error> for CommandError {
    fn from(error: clinic::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::Failed => Exit::Failed,
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Undecided => Exit::Undecided,
            ErrorKind::Interrupted => Exit::Interrupted,
        };
        let hint = error.hint().map(str::to_owned);
        let fields = error.fields().to_vec();
        Self { exit, error: error.into(), hint, fields }
    }
}

impl Exit {
    /// Whether a signal asked for the end.
    pub(super) fn is_by_signal(self) -> bool {
        matches!(self, Self::HungUp | Self::Interrupted | Self::Quit | Self::Terminated)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
