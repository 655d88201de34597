//! Locks on the data folder.
//!
//! The *job lock* is held by one latclinic for the length of its command: two measurements at once would disturb each
//! other, so the second waits. The *cluster lock* is held by every process of a server, which inherit it as their
//! standard input: as long as it is held, somebody has the cluster's files open, whatever `postmaster.pid` says and in
//! whichever container he is. Both are `flock` locks, which the kernel releases when the last holder has died.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    account::Account,
    error::{Error, Result},
    folder::{self, Cluster, Folder},
    process::{POLL, wait_until},
};

/// How long another holder may be met by chance before the user is told: `server status` looks at the lock for a moment.
const UNREMARKABLE: Duration = Duration::from_millis(100);

/// How long a server that is going down may hold its cluster after its last sign of life.
const CLUSTER_PATIENCE: Duration = Duration::from_secs(120);

/// The command that works on the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its process.
    pub pid: u32,
    /// Its command, such as `latclinic run`.
    pub command: String,
}

/// The right to work on the data folder, until dropped.
#[derive(Debug)]
pub(super) struct JobLock {
    file: File,
}

impl JobLock {
    /// Takes the lock, waiting for another command to end; `notes` is told for whom.
    pub(super) fn acquire(
        folder: &Folder,
        command: &str,
        notes: &dyn Fn(&str),
        cancel: &CancellationToken,
    ) -> Result<Self> {
        let begin = Instant::now();
        let mut told = None;
        loop {
            if let Some(lock) = Self::try_acquire(folder, command)? {
                return Ok(lock);
            }
            if cancel.is_cancelled() {
                return Err(Error::interrupted("waiting for another latclinic"));
            }
            if begin.elapsed() > UNREMARKABLE
                && let Some(job) = Self::holder(folder)
                && told.as_ref() != Some(&job)
            {
                notes(&format!(
                    "waiting for `{}` (pid {}) to end, because two measurements at once would disturb each other",
                    job.command, job.pid
                ));
                told = Some(job);
            }
            thread::sleep(POLL);
        }
    }

    /// Takes the lock if nobody has it.
    pub(super) fn try_acquire(folder: &Folder, command: &str) -> Result<Option<Self>> {
        folder.remake()?;
        let path = folder.job_lock();
        let file = folder::open_private(&path, OpenOptions::new().read(true).write(true))?;
        if !try_lock(&file, &path)? {
            return Ok(None);
        }
        // `server destroy` may have deleted file and folder meanwhile: then the lock is worth nothing.
        let failed = |cause| Error::io("use the lock", &path, cause);
        let locked = file.metadata().map_err(failed)?;
        let there =
            std::fs::metadata(&path).is_ok_and(|there| (there.dev(), there.ino()) == (locked.dev(), locked.ino()));
        if !there || !folder.is_marked() {
            return Ok(None);
        }
        let mut lock = Self { file };
        lock.file.set_len(0).and_then(|()| lock.file.rewind()).map_err(failed)?;
        writeln!(lock.file, "{}\n{command}", std::process::id()).map_err(failed)?;
        Ok(Some(lock))
    }

    /// Who has the lock, if anybody.
    pub(super) fn holder(folder: &Folder) -> Option<Job> {
        let mut file = File::open(folder.job_lock()).ok()?;
        if file.try_lock_shared().is_ok() {
            return None;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let mut lines = text.lines();
        Some(Job { pid: lines.next()?.parse().ok()?, command: lines.next()?.to_owned() })
    }
}

impl Drop for JobLock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

/// Does `work` if a process holds the cluster lock.
pub(super) fn if_held(cluster: &Cluster, work: impl FnOnce()) {
    if File::open(cluster.lock()).is_ok_and(|file| file.try_lock_shared().is_err()) {
        work();
    }
}

/// Takes the cluster lock for a server that is about to be started, waiting for the last process of an earlier one.
pub(super) fn lock_cluster(cluster: &Cluster, account: &Account, cancel: &CancellationToken) -> Result<File> {
    let path = cluster.lock();
    let file = folder::open_private(&path, OpenOptions::new().read(true).write(true))?;
    account.own(&path)?;
    let mut outcome = Ok(false);
    wait_until(CLUSTER_PATIENCE, || {
        outcome = try_lock(&file, &path);
        cancel.is_cancelled() || !matches!(outcome, Ok(false))
    });
    match outcome {
        Ok(true) => Ok(file),
        Ok(false) if cancel.is_cancelled() => Err(Error::interrupted("waiting for an earlier server to end")),
        Ok(false) => {
            let message = format!("processes of an earlier server still work in {}", cluster.path.display());
            Err(Error::failed(message)
                .with_hint(format!("see which processes have it open: `fuser -v {}`", path.display())))
        }
        Err(error) => Err(error),
    }
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(cause)) => Err(Error::io("lock", path, cause)),
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, sync::mpsc};

    use super::*;

    #[test]
    fn the_second_waits_says_for_whom_and_goes_on_when_the_first_ends() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(Some(root.path())).unwrap();
        let first = JobLock::try_acquire(&folder, "latclinic run").unwrap().unwrap();
        assert_eq!(JobLock::holder(&folder).unwrap().command, "latclinic run");
        thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            let second = scope.spawn({
                let folder = folder.clone();
                move || {
                    let notes = move |note: &str| tell.send(note.to_owned()).unwrap();
                    JobLock::acquire(&folder, "latclinic seed", &notes, &CancellationToken::new()).map(drop)
                }
            });
            let expected = format!(
                "waiting for `latclinic run` (pid {}) to end, because two measurements at once would disturb each other",
                std::process::id()
            );
            assert_eq!(told.recv().unwrap(), expected);
            drop(first);
            second.join().unwrap().unwrap();
        });
        assert_eq!(JobLock::holder(&folder), None);
    }

    #[test]
    fn a_wait_can_be_interrupted() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(Some(root.path())).unwrap();
        let _first = JobLock::try_acquire(&folder, "latclinic run").unwrap().unwrap();
        let cancel = CancellationToken::new();
        let notes = RefCell::new(0);
        let tell = |_: &str| {
            *notes.borrow_mut() += 1;
            cancel.cancel();
        };
        assert!(JobLock::acquire(&folder, "latclinic seed", &tell, &cancel).unwrap_err().is_interrupted());
        assert_eq!(*notes.borrow(), 1);
    }

    #[test]
    fn a_lock_whose_file_was_deleted_meanwhile_is_not_taken_for_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(Some(root.path())).unwrap();
        let _first = JobLock::try_acquire(&folder, "latclinic server destroy").unwrap().unwrap();
        std::fs::remove_file(folder.job_lock()).unwrap();
        let second = JobLock::try_acquire(&folder, "latclinic seed").unwrap();
        assert!(second.is_some(), "a new file is made and locked");
        assert!(JobLock::try_acquire(&folder, "latclinic run").unwrap().is_none());
    }
}
