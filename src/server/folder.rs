//! The data folder: where it is, what is in it, and the mark that says it is latclinic's.
//!
//! ```text
//! LATCLINIC          marks the folder; nothing without it is ever used or deleted
//! lock               held by the command that works here; names it
//! server.json        how the running server was started
//! postgresql.log     what initdb and the server said; the previous one ends in .1
//! pg15/              a cluster, one a major version
//! pg15.lock          held by every process of that cluster's server
//! pg15.new-..        a cluster that is being made, or deleted: whoever comes next removes it
//! ```

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
};

use nix::{libc::O_NOFOLLOW, unistd::geteuid};

use super::{
    error::{Error, Result},
    mishap,
};
use crate::files::{self, Draft, MIB, Over};

const MARK: &str = "LATCLINIC";
const LOCK: &str = "lock";
const MARK_TEXT: &str = "This folder belongs to latclinic: its private PostgreSQL and the data it seeds.\n\
                         `latclinic server destroy` deletes it. See `latclinic server --help`.\n";

/// Size above which a log is put aside at the next start, in bytes.
const LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// Bytes at the end of the log in which the recovery from a crash is looked for.
const TAIL: u64 = 64 * 1024;

/// A data folder that carries the mark.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

/// One cluster of a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    /// Major version that its folder is named after.
    pub(super) major: u32,
    /// PostgreSQL's data directory.
    pub(super) path: PathBuf,
}

impl Folder {
    /// The data folder, made and marked if it is not there.
    pub(super) fn create(data_dir: Option<&Path>) -> Result<Self> {
        let root = locate(data_dir)?;
        make(&root)?;
        Self::canonical(&root)
    }

    /// Makes the folder again if it was destroyed since.
    pub(super) fn remake(&self) -> Result<()> {
        make(&self.root)
    }

    /// Whether it carries the mark.
    pub(super) fn is_marked(&self) -> bool {
        self.root.join(MARK).exists()
    }

    /// The data folder, if it is there.
    ///
    /// # Errors
    /// When something is there that is not latclinic's.
    pub(super) fn existing(data_dir: Option<&Path>) -> Result<Option<Self>> {
        let root = locate(data_dir)?;
        match fs::metadata(root.join(MARK)) {
            Ok(_) => Self::canonical(&root).map(Some),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                if root.exists() {
                    refuse_foreign(&root)?;
                }
                Ok(None)
            }
            Err(cause) => Err(Error::io("look into the data folder", &root, cause)),
        }
    }

    fn canonical(root: &Path) -> Result<Self> {
        let root = fs::canonicalize(root).map_err(|cause| Error::io("look into the data folder", root, cause))?;
        Ok(Self { root })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn job_lock(&self) -> PathBuf {
        self.root.join(LOCK)
    }

    pub(super) fn state(&self) -> PathBuf {
        self.root.join("server.json")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("postgresql.log")
    }

    pub(super) fn cluster(&self, major: u32) -> Cluster {
        Cluster { major, path: self.root.join(format!("pg{major}")) }
    }

    /// The clusters that are here, oldest major version first.
    pub(super) fn clusters(&self) -> Result<Vec<Cluster>> {
        let mut clusters: Vec<Cluster> = self
            .entries()?
            .into_iter()
            .filter_map(|path| {
                let major = path.file_name()?.to_str()?.strip_prefix("pg")?.parse().ok()?;
                path.is_dir().then_some(Cluster { major, path })
            })
            .collect();
        clusters.sort_by_key(|cluster| cluster.major);
        Ok(clusters)
    }

    /// Removes what interrupted makings and deletions left; nobody works on it, for the caller holds the job lock.
    pub(super) fn remove_leftovers(&self) -> Result<()> {
        for path in self.entries()?.iter().filter(|path| is_leftover(path)) {
            // A dying initdb may still be taking its own files away: what resists now goes next time.
            let _ = remove(path);
        }
        Ok(())
    }

    /// Opens the log for the server's output and tells where that will begin.
    pub(super) fn open_log(&self) -> Result<(File, u64)> {
        let path = self.log();
        if fs::symlink_metadata(&path).is_ok_and(|found| found.len() > LOG_LIMIT) {
            fs::rename(&path, self.root.join("postgresql.log.1"))
                .map_err(|cause| Error::io("put aside", &path, cause))?;
        }
        let file = open_private(&path, OpenOptions::new().append(true))?;
        let begin = file.metadata().map_err(|cause| Error::io("look at", &path, cause))?.len();
        Ok((file, begin))
    }

    /// What was logged since `begin`.
    pub(super) fn logged_since(&self, begin: u64) -> String {
        let mut text = Vec::new();
        let _ = File::open(self.log())
            .and_then(|mut file| file.seek(SeekFrom::Start(begin)).and_then(|_| file.take(MIB).read_to_end(&mut text)));
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether the server whose log this is recovers from a crash.
    pub(super) fn is_recovering(&self) -> bool {
        let length = fs::metadata(self.log()).map_or(0, |found| found.len());
        mishap::is_recovering(&self.logged_since(length.saturating_sub(TAIL)))
    }

    /// Deletes what is latclinic's, then the folder if nothing else is in it. Gives what was left, which is not latclinic's.
    pub(super) fn delete(&self) -> Result<Vec<PathBuf>> {
        // Half deleted, a cluster must not have its name: the next command would take it for a complete one.
        for cluster in self.clusters()? {
            let aside = self.root.join(format!("{}{:016x}", cluster.unfinished_prefix(), rand::random::<u64>()));
            fs::rename(&cluster.path, aside).map_err(|cause| Error::io("delete", &cluster.path, cause))?;
        }
        let mut foreign = Vec::new();
        let mut last = Vec::new();
        for path in self.entries()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match name {
                // The lock goes last: who takes a new one finds the mark gone and makes the folder anew.
                MARK | LOCK => last.push(path),
                "server.json" | "postgresql.log" | "postgresql.log.1" => remove(&path)?,
                _ if is_leftover(&path) || is_cluster_or_its_lock(name) => remove(&path)?,
                _ => foreign.push(path),
            }
        }
        last.sort_by_key(|path| path.ends_with(LOCK));
        last.iter().try_for_each(|path| remove(path))?;
        if foreign.is_empty() {
            // A mount point or a folder in somebody else's folder stays, empty.
            let _ = fs::remove_dir(&self.root);
        }
        Ok(foreign)
    }

    /// Bytes on disk.
    pub(super) fn size_bytes(&self) -> u64 {
        disk_usage(&self.root)
    }

    fn entries(&self) -> Result<Vec<PathBuf>> {
        let failed = |cause| Error::io("look into the data folder", &self.root, cause);
        fs::read_dir(&self.root).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
    }
}

impl Cluster {
    pub(super) fn lock(&self) -> PathBuf {
        self.path.with_extension("lock")
    }

    /// Prefix of the folders in which initdb works before its result is renamed, and of those that are deleted.
    pub(super) fn unfinished_prefix(&self) -> String {
        format!("pg{}.new-", self.major)
    }

    /// Fails when the cluster was made by another major version than its name says.
    pub(super) fn check_version(&self) -> Result<()> {
        let path = self.path.join("PG_VERSION");
        let version = files::read_text(&path, MIB).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => {
                let message = format!("the data in {} are incomplete: PG_VERSION is missing", self.path.display());
                let deleted = "a deletion was probably interrupted; `latclinic server destroy` deletes the rest";
                Error::failed(message).or_elsewhere(&format!("{deleted}, then seed again"))
            }
            _ => Error::io("read", &path, cause),
        })?;
        if version.trim() == self.major.to_string() {
            return Ok(());
        }
        let message =
            format!("the data in {} are of PostgreSQL {}, not {}", self.path.display(), version.trim(), self.major);
        Err(Error::failed(message)
            .or_elsewhere("put that folder back where it came from, run `latclinic server destroy`"))
    }
}

/// Opens a file of the data folder, never through a link that somebody else may have put there.
pub(super) fn open_private(path: &Path, options: &mut OpenOptions) -> Result<File> {
    let failed = |cause| Error::io("open", path, cause);
    let file = options.create(true).mode(0o600).custom_flags(O_NOFOLLOW).open(path).map_err(failed)?;
    hand_to_owner(&file, path).map_err(failed)?;
    Ok(file)
}

/// Writes a file whole: a reader sees the old or the new text, and a link in its place is replaced, not followed.
pub(super) fn write_whole(path: &Path, text: &str, mode: u32) -> Result<()> {
    let failed = |cause| Error::io("write", path, cause);
    let mut draft = Draft::of(path, mode).map_err(failed)?;
    draft.file().write_all(text.as_bytes()).map_err(failed)?;
    hand_to_owner(draft.file(), path).map_err(failed)?;
    draft.finish(path, Over::Anything).map_err(failed)
}

/// What root makes in somebody's folder belongs to that somebody, who has to be able to work there without root.
fn hand_to_owner(file: &File, path: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let folder = fs::metadata(parent_of(path))?;
    fchown(file, Some(folder.uid()), Some(folder.gid()))
}

fn parent_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn locate(data_dir: Option<&Path>) -> Result<PathBuf> {
    let given = match data_dir {
        Some(folder) => folder.to_path_buf(),
        None => default_root(geteuid().is_root(), |name| std::env::var_os(name).map(PathBuf::from))?,
    };
    std::path::absolute(&given).map_err(|cause| Error::io("find", &given, cause))
}

fn default_root(root: bool, variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    if root {
        // Root's home is closed to the user who runs the server.
        return Ok(PathBuf::from("/var/lib/latclinic"));
    }
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("latclinic"))
        .ok_or_else(|| Error::usage("neither XDG_DATA_HOME nor HOME is set").or_elsewhere(""))
}

fn make(root: &Path) -> Result<()> {
    if !root.exists() {
        // Root's server runs as another user, who has to pass; each cluster in it is closed to everyone else.
        let mode = if geteuid().is_root() { 0o755 } else { 0o700 };
        if let Some(parent) = root.parent() {
            fs::create_dir_all(parent).map_err(|cause| Error::io("create", parent, cause))?;
        }
        match DirBuilder::new().mode(mode).create(root) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("create the data folder", root, cause));
            }
            _ => {}
        }
    }
    if root.join(MARK).exists() {
        return Ok(());
    }
    refuse_foreign(root)?;
    write_whole(&root.join(MARK), MARK_TEXT, 0o644)
}

/// Fails unless the folder is empty.
fn refuse_foreign(root: &Path) -> Result<()> {
    let entries = fs::read_dir(root).map_err(|cause| Error::io("look into the data folder", root, cause))?;
    // A fresh file system brings lost+found, an interrupted deletion leaves the lock, a second latclinic that makes the
    // folder at the same time its half-written mark.
    let known = |name: &OsStr| ["lost+found", LOCK].iter().any(|known| name == *known) || files::is_unfinished(name);
    let strangers = entries.flatten().any(|entry| !known(&entry.file_name())) && !root.join(MARK).exists();
    if !strangers {
        return Ok(());
    }
    let message = if root.join("PG_VERSION").exists() {
        format!("{} is a PostgreSQL data directory, not a folder of latclinic's", root.display())
    } else {
        format!("{} is not empty and not a folder of latclinic's", root.display())
    };
    Err(Error::usage(message).or_elsewhere(""))
}

fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    files::is_unfinished(OsStr::new(name))
        || name
            .strip_prefix("pg")
            .and_then(|rest| rest.split_once(".new-"))
            .is_some_and(|(major, _)| major.parse::<u32>().is_ok())
}

fn is_cluster_or_its_lock(name: &str) -> bool {
    name.strip_prefix("pg").is_some_and(|rest| rest.strip_suffix(".lock").unwrap_or(rest).parse::<u32>().is_ok())
}

fn remove(path: &Path) -> Result<()> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|cause| Error::io("delete", path, cause))
}

fn disk_usage(path: &Path) -> u64 {
    let Ok(found) = fs::symlink_metadata(path) else { return 0 };
    let inside = if found.is_dir() {
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| disk_usage(&entry.path())).sum()
    } else {
        0
    };
    // st_blocks counts units of 512 bytes on every Unix.
    found.blocks() * 512 + inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_users_data_folder_and_for_root_one_that_others_can_pass() {
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/home/ada"));
        assert_eq!(default_root(false, home).unwrap(), Path::new("/home/ada/.local/share/latclinic"));
        let xdg = |name: &str| Some(PathBuf::from(if name == "HOME" { "/home/ada" } else { "/data" }));
        assert_eq!(default_root(false, xdg).unwrap(), Path::new("/data/latclinic"));
        assert_eq!(default_root(true, xdg).unwrap(), Path::new("/var/lib/latclinic"));
        assert!(default_root(false, |_| None).is_err());
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.txt"), "x").unwrap();
        let error = Folder::create(Some(root.path())).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{} is not empty and not a folder of latclinic's", root.path().display())
        );
        assert!(Folder::existing(Some(root.path())).is_err());
        fs::write(root.path().join("PG_VERSION"), "15\n").unwrap();
        let error = Folder::create(Some(root.path())).unwrap_err();
        assert!(error.to_string().contains("is a PostgreSQL data directory"), "{error}");
    }

    #[test]
    fn deleting_leaves_what_is_not_latclinics() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        let folder = Folder::create(Some(&path)).unwrap();
        fs::create_dir_all(folder.cluster(15).path.join("base/1")).unwrap();
        fs::write(folder.cluster(15).lock(), "").unwrap();
        fs::create_dir(folder.root().join("pg15.new-abc")).unwrap();
        fs::write(folder.root().join(".latclinic-unfinished-abc"), "{").unwrap();
        fs::write(folder.root().join("pgpass"), "mine").unwrap();
        let left = folder.delete().unwrap();
        assert_eq!(left, [folder.root().join("pgpass")]);
        assert_eq!(folder.entries().unwrap(), left);

        let folder = {
            fs::remove_file(&left[0]).unwrap();
            Folder::create(Some(&path)).unwrap()
        };
        fs::create_dir(folder.cluster(15).path).unwrap();
        assert!(folder.delete().unwrap().is_empty());
        assert!(!path.exists());
    }

    #[test]
    fn a_cluster_of_another_version_is_said_in_words() {
        let root = tempfile::tempdir().unwrap();
        let cluster = Folder::create(Some(root.path())).unwrap().cluster(15);
        fs::create_dir(&cluster.path).unwrap();
        fs::write(cluster.path.join("PG_VERSION"), "14\n").unwrap();
        let error = cluster.check_version().unwrap_err().to_string();
        assert_eq!(error, format!("the data in {} are of PostgreSQL 14, not 15", cluster.path.display()));
        fs::remove_file(cluster.path.join("PG_VERSION")).unwrap();
        let error = cluster.check_version().unwrap_err();
        assert!(error.to_string().ends_with("pg15 are incomplete: PG_VERSION is missing"), "{error}");
        assert!(error.hint().unwrap().contains("`latclinic server destroy` deletes the rest"));
    }
}
