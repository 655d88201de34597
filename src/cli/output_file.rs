//! A file that a person named for a result: tried before anything is measured, written when there is something to write.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{CommandError, Exit};

/// The file. Dropped unwritten, it leaves what was there as it was.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    /// Takes the file's place when it is whole.
    Replaced(NamedTempFile),
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
        let opened = if path.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { beside(path) };
        let sink = opened.map(Sink::Replaced).map_err(|cause| refused(path, cause))?;
        Ok(Self { path: path.to_owned(), sink })
    }

    /// A file that is added to.
    ///
    /// # Errors
    /// As above.
    pub(super) fn append(path: &Path) -> Result<Self, CommandError> {
        let opened = OpenOptions::new().append(true).create(true).open(path);
        let sink = opened.map(Sink::Appended).map_err(|cause| refused(path, cause))?;
        Ok(Self { path: path.to_owned(), sink })
    }

    /// Writes it.
    ///
    /// # Errors
    /// As above.
    pub(super) fn write(self, text: &str) -> Result<(), CommandError> {
        let Self { path, sink } = self;
        let written = match sink {
            Sink::Replaced(mut file) => {
                let filled = file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all());
                filled.and_then(|()| file.persist(&path).map(drop).map_err(|failed| failed.error))
            }
            Sink::Appended(mut file) => file.write_all(text.as_bytes()),
        };
        written.map_err(|cause| refused(&path, cause))
    }
}

/// A temporary file in the folder of `path`.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Readable as any new file is: the process' umask still applies.
    tempfile::Builder::new().prefix(".latclinic.").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)
}

fn refused(path: &Path, cause: io::Error) -> CommandError {
    // That of a temporary file names that file.
    let cause = cause.raw_os_error().map_or_else(|| cause.kind().into(), io::Error::from_raw_os_error);
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
