//! What a person does with the managed server: start, stop, look, connect, destroy.

use std::{path::PathBuf, process::Command, thread};

use tokio_util::sync::CancellationToken;

use super::{
    error::{Error, Result},
    folder::Folder,
    lease::{self, Lease},
    lock::{Job, JobLock},
    options::{DATABASE, Options, USER},
    process::{Orphan, POLL},
    state::{Found, Running, State},
};

/// What `start` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The server, which goes on without latclinic.
    pub running: Running,
    /// Whether it ran before.
    pub before: bool,
}

/// Starts the server and leaves it running until `stop`.
///
/// # Errors
/// As [`Lease::acquire`].
pub fn start(options: &Options, notes: &dyn Fn(&str), cancel: &CancellationToken) -> Result<Started> {
    let folder = Folder::create(options.data_dir.as_deref())?;
    let job = JobLock::acquire(&folder, "latclinic server start", notes, cancel)?;
    let lease = Lease::with_lock(&folder, job, options, Orphan::Lives, notes, cancel)?;
    let before = !lease.started_it();
    Ok(Started { running: lease.leave(), before })
}

/// Stops the server, waiting for the command that works with it. Gives its process id, or none if none ran.
///
/// # Errors
/// When it does not stop or latclinic did not start it.
pub fn stop(options: &Options, notes: &dyn Fn(&str), cancel: &CancellationToken) -> Result<Option<u32>> {
    let Some(folder) = Folder::existing(options.data_dir.as_deref())? else { return Ok(None) };
    let _job = JobLock::acquire(&folder, "latclinic server stop", notes, cancel)?;
    let Some(found) = Found::look(&folder)? else { return Ok(None) };
    lease::stop(&folder, &found, notes)?;
    Ok(Some(found.pid))
}

/// The state of a data folder and its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The data folder; none while there is none.
    pub data_dir: Option<PathBuf>,
    /// Bytes that it takes on disk.
    pub size_bytes: u64,
    /// Major versions that have data in it.
    pub majors: Vec<u32>,
    /// The server, if one takes connections.
    pub running: Option<Running>,
    /// Process id of a server that is starting, stopping, or not latclinic's.
    pub unsettled: Option<u32>,
    /// The command that works with the server.
    pub job: Option<Job>,
}

/// Looks at the data folder; never waits.
///
/// # Errors
/// When the folder is not latclinic's or cannot be read.
pub fn status(options: &Options) -> Result<Status> {
    let Some(folder) = Folder::existing(options.data_dir.as_deref())? else {
        return Ok(Status {
            data_dir: None,
            size_bytes: 0,
            majors: Vec::new(),
            running: None,
            unsettled: None,
            job: None,
        });
    };
    let found = Found::look(&folder)?;
    let running = found.as_ref().and_then(Found::running);
    Ok(Status {
        data_dir: Some(folder.root().to_path_buf()),
        size_bytes: folder.size_bytes(),
        majors: folder.clusters()?.iter().map(|cluster| cluster.major).collect(),
        unsettled: found.map(|found| found.pid).filter(|_| running.is_none()),
        running,
        job: JobLock::holder(&folder),
    })
}

/// What `destroy` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroyed {
    /// The data folder.
    pub data_dir: PathBuf,
    /// What was left in it, for it is not latclinic's.
    pub left: Vec<PathBuf>,
}

/// Stops the server and deletes its data folder. None if there is no folder.
///
/// # Errors
/// When the folder does not carry latclinic's mark, the server does not stop, or something cannot be deleted.
pub fn destroy(options: &Options, notes: &dyn Fn(&str), cancel: &CancellationToken) -> Result<Option<Destroyed>> {
    let Some(folder) = Folder::existing(options.data_dir.as_deref())? else { return Ok(None) };
    let _job = JobLock::acquire(&folder, "latclinic server destroy", notes, cancel)?;
    if let Some(found) = Found::look(&folder)? {
        lease::stop(&folder, &found, notes)?;
    }
    State::forget(&folder);
    Ok(Some(Destroyed { data_dir: folder.root().to_path_buf(), left: folder.delete()? }))
}

/// A server to look into: somebody's that runs, or one started for the purpose.
#[derive(Debug)]
pub enum Reached {
    /// It runs for others and is not waited for; it stops when its command ends, unless it is kept.
    Running(Running),
    /// It was started, or is held, for the caller.
    Leased(Box<Lease>),
}

impl Reached {
    /// The server.
    pub fn running(&self) -> &Running {
        match self {
            Self::Running(running) => running,
            Self::Leased(lease) => lease.running(),
        }
    }
}

/// Reaches the running server without waiting for the command that works with it, or starts one.
///
/// # Errors
/// As [`Lease::acquire`].
pub fn reach(options: &Options, command: &str, notes: &dyn Fn(&str), cancel: &CancellationToken) -> Result<Reached> {
    let folder = Folder::create(options.data_dir.as_deref())?;
    loop {
        let running = Found::look(&folder)?.as_ref().and_then(Found::running).filter(Running::answers);
        let job = JobLock::holder(&folder);
        // A server without a job and not kept is about to end: its latclinic was killed.
        if let Some(running) = running.filter(|running| running.kept || job.is_some()) {
            return Ok(Reached::Running(running));
        }
        if let Some(lock) = JobLock::try_acquire(&folder, command)? {
            return Lease::with_lock(&folder, lock, options, Orphan::Stops, notes, cancel)
                .map(|lease| Reached::Leased(Box::new(lease)));
        }
        // Another command has the lock and its server is not ready yet, or not there any more.
        if cancel.is_cancelled() {
            return Err(Error::interrupted("waiting for the server of another latclinic"));
        }
        thread::sleep(POLL);
    }
}

/// psql for a server, with its connection in the environment so that every argument stays the user's.
///
/// # Errors
/// When psql is not installed.
pub fn psql(running: &Running) -> Result<Command> {
    let beside = running.bin_dir.join("psql");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = [beside]
        .into_iter()
        .chain(std::env::split_paths(&path).map(|folder| folder.join("psql")))
        .find(|program| program.is_file())
        .ok_or_else(|| {
            Error::failed("psql is neither beside the server's binaries nor on PATH")
                .with_hint("install PostgreSQL's client, such as the package postgresql-client")
        })?;
    let mut command = Command::new(program);
    // PGSERVICE, PGHOSTADDR, PGOPTIONS and the like are about other servers.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command
        .env("PGHOST", &running.socket_dir)
        .env("PGPORT", running.port.to_string())
        .env("PGUSER", USER)
        .env("PGDATABASE", DATABASE);
    Ok(command)
}
