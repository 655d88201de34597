//! A folder that one measurement or comparison is written into.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use super::{
    error::{Error, ErrorKind, Result},
    histogram_log::{self, Interval},
    histograms::HISTOGRAMS_FILE,
    model::Record,
    read::RECORD_FILE,
};
use crate::files::{self, Over};

/// Room that is taken before a measurement starts and given back to its record: more than that of an hour needs.
const ROOM: usize = 1 << 20;

const ELSEWHERE: &str = "name a folder that can be written to, with --reports or --output";

/// A folder of our own making. Its files are written whole or not at all, and never over another.
///
/// Dropped with nothing in it, it is removed again.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// A file without a name that holds [`ROOM`] until the first file is written: a disk that others fill during the
    /// measurement does not take its record.
    room: Mutex<Option<File>>,
}

impl Folder {
    /// Creates the folder `path` with its parents and tries that it can be written to.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] when there is something of that name; [`ErrorKind::Io`] when it cannot be made or has no room.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let refused = |doing: &str, cause: io::Error| io_error(&format!("cannot {doing} {}", path.display()), cause);
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|cause| match parent.ancestors().find(|above| above.exists()) {
                Some(file) if !file.is_dir() => {
                    let doing = format!("cannot create the folder {}: {} is a file", path.display(), file.display());
                    Error::new(ErrorKind::Io, doing).with_hint(ELSEWHERE)
                }
                _ => refused("create the folder", cause),
            })?;
        }
        fs::create_dir(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => Error::new(ErrorKind::Exists, format!("{} exists already", path.display()))
                .with_hint("nothing is ever overwritten: name a folder that does not exist"),
            _ => refused("create the folder", cause),
        })?;
        // Made first: dropped, it takes a folder without room away.
        let folder = Self { path: path.to_owned(), room: Mutex::default() };
        let room = folder.take_room().map_err(|cause| refused("write into", cause))?;
        *folder.room.lock().unwrap_or_else(PoisonError::into_inner) = Some(room);
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a folder in it, such as `before` in the folder of a run.
    ///
    /// # Errors
    /// As [`Store::prepare`](super::Store::prepare).
    pub fn subfolder(&self, name: &str) -> Result<Self> {
        Self::create(&self.path.join(name))
    }

    /// Writes `record.json`.
    ///
    /// # Errors
    /// As [`Folder::write`].
    pub fn write_record(&self, record: &Record) -> Result<()> {
        self.write_json(RECORD_FILE, record)
    }

    /// Writes `latency.hlog`: the response times of a window that began at `started_at`, in the order of their begin.
    ///
    /// # Errors
    /// As [`Folder::write`].
    pub fn write_histograms<'a>(
        &self,
        started_at: jiff::Timestamp,
        intervals: impl IntoIterator<Item = Interval<'a>>,
    ) -> Result<()> {
        let log = histogram_log::encode(started_at, intervals);
        self.write(HISTOGRAMS_FILE, &log.map_err(|cause| self.refused(HISTOGRAMS_FILE, cause))?)
    }

    /// Writes `value` as indented JSON.
    ///
    /// # Errors
    /// As [`Folder::write`].
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(value).map_err(|cause| self.refused(name, cause.into()))?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Writes a file, complete or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] when there is a file of that name; [`ErrorKind::Io`] when the disk is full or refuses.
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<()> {
        drop(self.room.lock().unwrap_or_else(PoisonError::into_inner).take());
        let path = self.path.join(name);
        // Readable as any new file is: the process' umask still applies.
        files::write(&path, contents, 0o666, Over::Nothing).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => Error::new(ErrorKind::Exists, format!("{} exists already", path.display())),
            _ => self.refused(name, cause),
        })
    }

    fn take_room(&self) -> io::Result<File> {
        let mut file = tempfile::tempfile_in(&self.path)?;
        file.write_all(&vec![0; ROOM])?;
        file.sync_all()?;
        Ok(file)
    }

    fn refused(&self, name: &str, cause: io::Error) -> Error {
        io_error(&format!("cannot write {}", self.path.join(name).display()), cause)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Fails, as it should, on a folder with something in it.
        let _ = fs::remove_dir(&self.path);
    }
}

fn io_error(message: &str, cause: io::Error) -> Error {
    let hint = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room, or name another folder with --output",
        _ => ELSEWHERE,
    };
    Error::new(ErrorKind::Io, message).with_hint(hint).with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_whole_and_never_over_another() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(&root.path().join("a/b")).unwrap();
        folder.write("explain_before.txt", b"Seq Scan").unwrap();
        let error = folder.write("explain_before.txt", b"Index Scan").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exists);
        assert!(error.to_string().contains("explain_before.txt"), "{error}");
        let path = folder.path().to_owned();
        drop(folder);
        let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["explain_before.txt"], "no temporary file is left");
        assert_eq!(fs::read_to_string(path.join("explain_before.txt")).unwrap(), "Seq Scan");
    }

    #[test]
    fn a_folder_with_nothing_in_it_goes_again() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(&root.path().join("run")).unwrap();
        let inner = folder.subfolder("before").unwrap();
        drop(inner);
        assert!(!root.path().join("run/before").exists());
        drop(folder);
        assert!(!root.path().join("run").exists());
    }

    #[test]
    fn what_exists_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("taken"), "x").unwrap();
        let error = Folder::create(&root.path().join("taken")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exists);
        assert!(error.to_string().ends_with("taken exists already"), "{error}");
        assert!(error.hint().is_some());
        let error = Folder::create(&root.path().join("taken/below/a/file")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("taken/below/a/file"), "{error}");
    }
}
