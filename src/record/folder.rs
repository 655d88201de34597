//! A folder that one measurement or comparison is written into.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use super::{
    error::{Error, ErrorKind, Result},
    histogram_log::{self, Interval},
    histograms::HISTOGRAMS_FILE,
    model::Record,
    read::RECORD_FILE,
    room::Room,
};
use crate::{
    files::{self, MIB, Over},
    text::Field,
};

/// Room that a folder takes when it is made, unless more is asked for.
const LEAST_ROOM: u64 = MIB;

const ELSEWHERE: &str = "name a folder that can be written to, with `reports` or `output`";

/// What the ways out name.
const FIELDS: [Field; 2] = [Field::Reports, Field::Output];

/// A folder of our own making. Its files are written whole or not at all, and never over another.
///
/// Dropped with nothing in it, it is removed again.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    content: Arc<Mutex<Content>>,
}

/// What a folder holds, folders in it included.
#[derive(Debug, Default)]
struct Content {
    room: Room,
    written: Vec<PathBuf>,
}

impl Folder {
    /// Creates the folder `path` with its parents and takes [`LEAST_ROOM`] in it.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] when there is something of that name; [`ErrorKind::Io`] when it cannot be made or has no room.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Self::make(path, Arc::default())?.with_room(LEAST_ROOM)
    }

    fn make(path: &Path, content: Arc<Mutex<Content>>) -> Result<Self> {
        let refused = |doing: &str, cause: io::Error| io_error(&format!("cannot {doing} {}", path.display()), cause);
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|cause| match parent.ancestors().find(|above| above.exists()) {
                Some(file) if !file.is_dir() => {
                    let doing = format!("cannot create the folder {}: {} is a file", path.display(), file.display());
                    Error::new(ErrorKind::Io, doing).with_hint(ELSEWHERE).about(&FIELDS)
                }
                _ => refused("create the folder", cause),
            })?;
        }
        fs::create_dir(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => Error::new(ErrorKind::Exists, format!("{} already exists", path.display()))
                .with_hint("latclinic overwrites nothing; name a folder that does not exist"),
            _ => refused("create the folder", cause),
        })?;
        Ok(Self { path: path.to_owned(), content })
    }

    /// Takes so much room for what is going to be written into it. Dropped, a folder without room goes again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when there is not so much.
    pub fn with_room(self, bytes: u64) -> Result<Self> {
        // What is held already would count as others'.
        self.content().room = Room::default();
        let refused = |cause| io_error(&format!("cannot write into {}", self.path.display()), cause);
        let room = Room::take(&self.path, bytes).map_err(refused)?;
        self.content().room = room;
        Ok(self)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a folder in it, such as `before` in the folder of a run, whose files take of the same room.
    ///
    /// # Errors
    /// As [`Store::prepare`](super::Store::prepare).
    pub fn subfolder(&self, name: &str) -> Result<Self> {
        Self::make(&self.path.join(name), Arc::clone(&self.content))
    }

    /// Folders for what cannot be written into this one: beside it, then where there may be another disk. Each is new and made when
    /// it is asked for.
    pub fn elsewhere(&self) -> impl Iterator<Item = Self> {
        let name = self.path.file_name().unwrap_or_default().to_os_string();
        let mut prefixed = std::ffi::OsString::from("latclinic-");
        prefixed.push(&name);
        let folders = [Some(env::temp_dir()), env::var_os("HOME").map(PathBuf::from)].into_iter().flatten();
        let others = folders.chain(["/var/tmp", "/dev/shm"].map(PathBuf::from)).filter(|folder| folder.is_dir());
        let others: Vec<PathBuf> = others.map(|folder| folder.join(&prefixed)).collect();
        [self.path.with_file_name(name)].into_iter().chain(others).filter_map(|path| {
            (1..100).find_map(|number| {
                let mut numbered = path.clone().into_os_string();
                if number > 1 {
                    numbered.push(format!("-{number}"));
                }
                match Self::make(Path::new(&numbered), Arc::default()) {
                    Err(error) if error.kind() == ErrorKind::Exists => None,
                    made => Some(made.ok()),
                }
            })?
        })
    }

    /// Removes what was written into it: half of a record is worse than none.
    pub fn discard(&self) {
        for path in self.content().written.drain(..) {
            let _ = fs::remove_file(&path);
            // The folder of a phase, if nothing else is in it.
            if let Some(folder) = path.parent().filter(|folder| *folder != self.path) {
                let _ = fs::remove_dir(folder);
            }
        }
    }

    /// Writes `record.json`.
    ///
    /// # Errors
    /// As [`Folder::write`].
    pub fn write_record(&self, record: &Record) -> Result<()> {
        self.write_json(RECORD_FILE, record)
    }

    /// Writes `latency.hlog`: the response times behind a record, in the order of their begin.
    ///
    /// # Errors
    /// As [`Folder::write`].
    pub fn write_histograms<'a>(
        &self,
        record: &Record,
        intervals: impl IntoIterator<Item = Interval<'a>>,
    ) -> Result<()> {
        let log = histogram_log::encode(record, intervals);
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
        let path = self.path.join(name);
        let mut content = self.content();
        content.room.give_back(contents.len() as u64);
        // Readable as any new file is: the process' umask still applies.
        files::write(&path, contents, 0o666, Over::Nothing).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => Error::new(ErrorKind::Exists, format!("{} already exists", path.display())),
            _ => self.refused(name, cause),
        })?;
        content.written.push(path);
        Ok(())
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
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free disk space, or name another folder with `output`"
        }
        io::ErrorKind::FileTooLarge => "raise the limit on the size of files (ulimit -f)",
        _ => ELSEWHERE,
    };
    Error::new(ErrorKind::Io, message).with_hint(hint).about(&FIELDS).with_source(cause)
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
    fn what_cannot_be_written_here_has_places_elsewhere_and_half_of_it_goes() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(&root.path().join("run")).unwrap().with_room(2 * MIB).unwrap();
        let before = folder.subfolder("before").unwrap();
        before.write("latency.hlog", b"x").unwrap();
        fs::write(root.path().join("run/before/record.json"), "another's").unwrap();
        assert_eq!(before.write("record.json", b"{}").unwrap_err().kind(), ErrorKind::Exists);
        drop(before);
        folder.discard();
        assert!(!root.path().join("run/before/latency.hlog").exists());
        assert_eq!(fs::read_to_string(root.path().join("run/before/record.json")).unwrap(), "another's");
        let elsewhere = folder.elsewhere().next().unwrap();
        assert_eq!(elsewhere.path(), root.path().join("run-2"));
        elsewhere.subfolder("before").unwrap().write("record.json", b"{}").unwrap();
        elsewhere.discard();
        drop(elsewhere);
        assert!(!root.path().join("run-2").exists());
    }

    #[test]
    fn what_exists_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("taken"), "x").unwrap();
        let error = Folder::create(&root.path().join("taken")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exists);
        assert!(error.to_string().ends_with("taken already exists"), "{error}");
        assert!(error.hint().is_some());
        let error = Folder::create(&root.path().join("taken/below/a/file")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("taken/below/a/file"), "{error}");
    }
}
