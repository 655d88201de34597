//! Where results go, and whether they got there.

use std::{fs::File, io, os::fd::AsFd};

use super::inherited;
use crate::files;

/// stdout. After the first failure nothing more is written, and the failure is kept for the end of the program: a result that
/// nobody can read must not keep a command from its work.
#[derive(Debug)]
pub(super) struct Stdout {
    sink: io::Result<File>,
}

impl Stdout {
    /// The standard library's handle takes a closed stdout for one that throws everything away; this one does not.
    pub(super) fn new() -> Self {
        let closed = || Err(io::Error::from_raw_os_error(nix::libc::EBADF));
        let sink = if inherited::stdout_closed() {
            closed()
        } else {
            io::stdout().as_fd().try_clone_to_owned().map(File::from)
        };
        Self { sink }
    }

    /// Writes a text with a line end.
    pub(super) fn write_line(&mut self, text: &str) {
        if let Ok(file) = &mut self.sink
            && let Err(cause) = files::write_waiting(file, format!("{}\n", text.trim_end_matches('\n')).as_bytes())
        {
            self.sink = Err(cause);
        }
    }

    /// Why something could not be written.
    pub(super) fn failure(&self) -> Option<&io::Error> {
        self.sink.as_ref().err()
    }
}
