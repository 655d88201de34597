//! A file that a person named for a result: tried before anything is measured, written when there is something to write.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{CommandError, Exit};
use crate::files::{self, Draft, Over};

/// The file. Dropped unwritten, it leaves what was there as it was.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    /// Takes the file's place when it is whole.
    Replaced(Draft),
    /// Added to what is there, as to a pipe.
    Appended(File),
}

impl OutputFile {
    /// A file that is written whole, over one of that name.
    ///
    /// # Errors
    /// When it cannot be written; the message names it, and so below.
    pub(super) fn replace(path: &Path) -> Result<Self, CommandError> {
        let special = path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
        if special {
            return Self::append(path);
        }
        // Readable as any new file is: the process' umask still applies.
        let opened = if path.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Draft::of(path, 0o666) };
        let sink = opened.map(Sink::Replaced).map_err(|cause| refused(path, cause))?;
        Ok(Self { path: path.to_owned(), sink })
    }

    /// A file that is added to.
    ///
    /// # Errors
    /// As above.
    pub(super) fn append(path: &Path) -> Result<Self, CommandError> {
        let sink = files::open_to_append(path).map(Sink::Appended).map_err(|cause| refused(path, cause))?;
        Ok(Self { path: path.to_owned(), sink })
    }

    /// Writes it.
    ///
    /// # Errors
    /// As above.
    pub(super) fn write(self, text: &str) -> Result<(), CommandError> {
        let Self { path, sink } = self;
        let written = match sink {
            Sink::Replaced(mut draft) => {
                let filled = draft.file().write_all(text.as_bytes());
                filled.and_then(|()| draft.finish(&path, Over::Anything))
            }
            Sink::Appended(mut file) => files::write_waiting(&mut file, text.as_bytes()),
        };
        written.map_err(|cause| refused(&path, cause))
    }
}

fn refused(path: &Path, cause: io::Error) -> CommandError {
    let error = anyhow::Error::new(cause).context(format!("cannot write {}", path.display()));
    CommandError::new(Exit::Failed, error).with_hint("name a file in a folder that exists and can be written to")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("junit.xml");
        fs::write(&path, "old").unwrap();
        drop(OutputFile::replace(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        OutputFile::replace(&path).unwrap().write("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_summary_is_added_to() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("summary.md");
        OutputFile::append(&path).unwrap().write("one\n").unwrap();
        OutputFile::append(&path).unwrap().write("two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let root = tempfile::tempdir().unwrap();
        for path in [root.path().to_owned(), root.path().join("none/junit.xml")] {
            let error = OutputFile::replace(&path).unwrap_err();
            assert_eq!(error.exit, Exit::Failed);
            assert_eq!(error.error.to_string(), format!("cannot write {}", path.display()));
        }
        assert!(OutputFile::append(root.path()).is_err());
    }
}
