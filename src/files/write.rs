//! Writing.
//!
//! On Linux what is being written has no name until it is complete, so that nothing is left of it whatever kills the process.
//! Elsewhere, and on file systems that know no such files, it has a name of its own until then, which an end in good order takes
//! away.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use nix::{
    libc::O_NONBLOCK,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use tempfile::NamedTempFile;

/// How the name of an unfinished file begins.
const UNFINISHED: &str = ".latclinic-unfinished-";

/// Whether a file may take the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Never: what is there stays.
    Nothing,
    /// Yes; a link is replaced, not followed.
    Anything,
}

/// A file that is being written. Dropped, it leaves what was there as it was.
#[derive(Debug)]
pub struct Draft {
    folder: PathBuf,
    file: Kind,
}

#[derive(Debug)]
enum Kind {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Named(NamedTempFile),
}

impl Draft {
    /// A file that is going to be `path`; `mode` are its permissions, less the process' umask.
    ///
    /// # Errors
    /// The file system's.
    pub fn of(path: &Path, mode: u32) -> io::Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = parent.unwrap_or(Path::new(".")).to_owned();
        let file = nameless(&folder, mode).unwrap_or_else(|| named(&folder, mode))?;
        Ok(Self { folder, file })
    }

    /// The file, to be written to.
    pub fn file(&mut self) -> &mut File {
        match &mut self.file {
            #[cfg(target_os = "linux")]
            Kind::Nameless(file) => file,
            Kind::Named(file) => file.as_file_mut(),
        }
    }

    /// Syncs the file and gives it its name, in the folder it was made in.
    ///
    /// # Errors
    /// The file system's; [`io::ErrorKind::AlreadyExists`] where there is something of that name and it may not be replaced.
    pub fn finish(mut self, path: &Path, over: Over) -> io::Result<()> {
        self.file().sync_all()?;
        match self.file {
            #[cfg(target_os = "linux")]
            Kind::Nameless(file) => match over {
                Over::Nothing => link(&file, path)?,
                Over::Anything => replace(&file, &self.folder, path)?,
            },
            Kind::Named(file) => match over {
                Over::Nothing => drop(file.persist_noclobber(path).map_err(|failed| failed.error)?),
                Over::Anything => drop(file.persist(path).map_err(|failed| failed.error)?),
            },
        }
        // The name itself is on disk only when the folder is.
        File::open(&self.folder)?.sync_all()
    }
}

/// Writes a file complete or not at all.
///
/// # Errors
/// As [`Draft::of`] and [`Draft::finish`].
pub fn write(path: &Path, contents: &[u8], mode: u32, over: Over) -> io::Result<()> {
    let mut draft = Draft::of(path, mode)?;
    draft.file().write_all(contents)?;
    draft.finish(path, over)
}

/// Whether a file of this name is one that was never finished, whose process was killed.
pub fn is_unfinished(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
}

/// Opens a file, or a pipe that has a reader, to add to it.
///
/// # Errors
/// The file system's.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    // A named pipe without a reader is not waited for.
    OpenOptions::new().append(true).create(true).custom_flags(O_NONBLOCK).open(path)
}

/// Writes all of it, waiting for the reader of a pipe that does not block.
///
/// # Errors
/// The system's.
pub fn write_waiting(file: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE)?;
            }
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

fn named(folder: &Path, mode: u32) -> io::Result<Kind> {
    let made =
        tempfile::Builder::new().prefix(UNFINISHED).permissions(Permissions::from_mode(mode)).tempfile_in(folder);
    // The cause alone: its message would name the temporary file.
    made.map(Kind::Named).map_err(|cause| cause.raw_os_error().map_or(cause, io::Error::from_raw_os_error))
}

/// `None` where the file system, or the system, has no files without a name.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path, mode: u32) -> Option<io::Result<Kind>> {
    use nix::libc::{EINVAL, EISDIR, EOPNOTSUPP, O_TMPFILE};
    if !Path::new(OPEN_FILES).exists() {
        return None;
    }
    match OpenOptions::new().write(true).custom_flags(O_TMPFILE).mode(mode).open(folder) {
        Err(cause) if matches!(cause.raw_os_error(), Some(EOPNOTSUPP | EISDIR | EINVAL)) => None,
        opened => Some(opened.map(Kind::Nameless)),
    }
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path, _: u32) -> Option<io::Result<Kind>> {
    None
}

/// Where the files that a process has open can be reached.
#[cfg(target_os = "linux")]
const OPEN_FILES: &str = "/proc/self/fd";

/// Gives a nameless file a name that is free.
#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use nix::fcntl::{AT_FDCWD, AtFlags};
    let open = Path::new(OPEN_FILES).join(file.as_raw_fd().to_string());
    Ok(nix::unistd::linkat(AT_FDCWD, &open, AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)?)
}

/// Gives a nameless file a name, whatever has it: only a rename takes the place of another file.
#[cfg(target_os = "linux")]
fn replace(file: &File, folder: &Path, path: &Path) -> io::Result<()> {
    loop {
        let between = folder.join(format!("{UNFINISHED}{:016x}", rand::random::<u64>()));
        match link(file, &between) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            Err(cause) => return Err(cause),
            Ok(()) => {
                return fs::rename(&between, path).inspect_err(|_| {
                    let _ = fs::remove_file(&between);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_complete() {
        let root = tempfile::tempdir().unwrap();
        for (name, make) in [
            ("a", named as fn(&Path, u32) -> io::Result<Kind>),
            ("b", |folder, mode| nameless(folder, mode).unwrap_or_else(|| named(folder, mode))),
        ] {
            let path = root.path().join(name);
            let draft = |text: &str| {
                let mut draft = Draft { folder: root.path().to_owned(), file: make(root.path(), 0o640).unwrap() };
                draft.file().write_all(text.as_bytes()).unwrap();
                draft
            };
            let unfinished = draft("one");
            assert!(!path.exists());
            unfinished.finish(&path, Over::Nothing).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "one");
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777 & !0o22, 0o640 & !0o22);
            let taken = draft("two").finish(&path, Over::Nothing).unwrap_err();
            assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
            drop(draft("three"));
            assert_eq!(fs::read_to_string(&path).unwrap(), "one");
            draft("four").finish(&path, Over::Anything).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "four");
            // A link is no way to another file.
            let link = root.path().join("link");
            std::os::unix::fs::symlink("elsewhere", &link).unwrap();
            assert_eq!(draft("x").finish(&link, Over::Nothing).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            draft("x").finish(&link, Over::Anything).unwrap();
            assert!(!root.path().join("elsewhere").exists());
            fs::remove_file(link).unwrap();
        }
        assert_eq!(names(root.path()), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_replaced_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("folder")).unwrap();
        assert!(write(&root.path().join("folder"), b"x", 0o666, Over::Anything).is_err());
        assert!(write(&root.path().join("none/file"), b"x", 0o666, Over::Nothing).is_err());
        assert_eq!(names(root.path()), ["folder"]);
    }

    #[test]
    fn a_pipe_without_a_reader_is_an_error_and_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("pipe");
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        assert!(open_to_append(&pipe).is_err());
    }
}
