//! What a command holds while it works with the managed server.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use nix::sys::signal::{Signal, kill};
use tokio_util::sync::CancellationToken;

use super::{
    account::Account,
    binaries,
    error::{Error, Result},
    folder::Folder,
    lock::JobLock,
    mishap::Mishap,
    options::{DATABASE, Options, USER},
    postmaster::{self, Postmaster},
    process::{self, Orphan, RECOVERY},
    settings,
    site::Site,
    state::{Found, Running, State},
    watch::Watch,
};

use crate::text::Field;

/// The managed server, to oneself: no other latclinic command works on it until the lease is released or dropped.
///
/// The server is stopped with the lease if the lease started it; one that `server start` left running goes on.
#[derive(Debug)]
pub struct Lease {
    running: Running,
    folder: Folder,
    watch: Watch,
    // Dropped in this order: the server has ended before the next command may begin.
    postmaster: Option<Postmaster>,
    _job: JobLock,
}

impl Lease {
    /// Takes the managed server for `command` (`latclinic run`): waits for another command to end, makes the cluster if
    /// there is none, starts the server unless it runs. `notes` is told in words what takes time.
    ///
    /// Blocks the calling thread; on a runtime call it from a blocking thread. The server itself is spawned from a
    /// thread of the lease's own.
    ///
    /// # Errors
    /// When there are no binaries, the data folder cannot be used, the server does not start, a running server takes too
    /// few connections, or `cancel` was cancelled: then nothing is left running.
    pub fn acquire(options: &Options, command: &str, notes: &dyn Fn(&str), cancel: &CancellationToken) -> Result<Self> {
        let folder = Folder::create(options.data_dir.as_deref())?;
        let job = JobLock::acquire(&folder, command, notes, cancel)?;
        Self::with_lock(&folder, job, options, Orphan::Stops, notes, cancel)
    }

    pub(super) fn with_lock(
        folder: &Folder,
        job: JobLock,
        options: &Options,
        orphan: Orphan,
        notes: &dyn Fn(&str),
        cancel: &CancellationToken,
    ) -> Result<Self> {
        if let Some(running) = take_over(folder, options, notes, cancel)? {
            return Ok(Self::of(folder, running, None, job));
        }
        let installation = binaries::find(options.pg_bin.as_deref())?;
        let cluster = folder.cluster(installation.major);
        if !cluster.path.exists()
            && let Some(other) = folder.clusters()?.last()
        {
            notes(&format!(
                "PostgreSQL {} starts with empty data; those of PostgreSQL {} stay in {}",
                installation.version,
                other.major,
                other.path.display()
            ));
        }
        let account = Account::for_cluster(&cluster.path, folder.root())?;
        let site = Site { folder, cluster, installation, account };
        let (postmaster, running) = postmaster::start(&site, options.max_connections, orphan, notes, cancel)?;
        Ok(Self::of(folder, running, Some(postmaster), job))
    }

    fn of(folder: &Folder, running: Running, postmaster: Option<Postmaster>, job: JobLock) -> Self {
        let watch = Watch::begin(folder, &running);
        Self { running, folder: folder.clone(), watch, postmaster, _job: job }
    }

    /// What has befallen the server since the last look. Never waits.
    pub fn look(&mut self) -> Option<Mishap> {
        self.watch.look(self.postmaster.as_mut().and_then(Postmaster::child))
    }

    /// Whether the server recovers from a crash.
    pub fn is_recovering(&self) -> bool {
        self.folder.is_recovering()
    }

    /// Starts the server again whose postmaster has ended, as it was started. What that one left behind is ended first.
    ///
    /// # Errors
    /// It does not start, or `cancel` was cancelled.
    pub fn restart(&mut self, notes: &dyn Fn(&str), cancel: &CancellationToken) -> Result<()> {
        let installation = binaries::find(Some(&self.running.bin_dir))?;
        let cluster = self.folder.cluster(installation.major);
        let account = Account::for_cluster(&cluster.path, self.folder.root())?;
        let site = Site { folder: &self.folder, cluster, installation, account };
        let orphan = if self.running.kept { Orphan::Lives } else { Orphan::Stops };
        // Of the one that has ended nothing is left to stop.
        self.postmaster = None;
        let (postmaster, running) = postmaster::start(&site, self.running.max_connections, orphan, notes, cancel)?;
        match self.running.kept {
            true => postmaster.leave(),
            false => self.postmaster = Some(postmaster),
        }
        self.watch = Watch::begin(&self.folder, &running);
        self.running = running;
        Ok(())
    }

    /// What has to be done for the server if this process ends at once; `None` if it goes on.
    pub fn abandoned(&self) -> Option<Abandoned> {
        self.postmaster.is_some().then(|| Abandoned { pid: self.running.pid, folder: self.folder.clone() })
    }

    /// Gives the server back and stops it if this lease started it.
    ///
    /// # Errors
    /// When the server does not stop.
    pub fn release(mut self, notes: &dyn Fn(&str)) -> Result<()> {
        self.postmaster.as_mut().map_or(Ok(()), |postmaster| postmaster.stop(notes))
    }

    /// Leaves the server running without the lease.
    pub(super) fn leave(self) -> Running {
        if let Some(postmaster) = self.postmaster {
            postmaster.leave();
        }
        self.running
    }

    /// The server.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Whether this lease started the server and will stop it.
    pub fn started_it(&self) -> bool {
        self.postmaster.is_some()
    }

    /// Folder of the socket: what libpq calls the host.
    pub fn socket_dir(&self) -> &Path {
        &self.running.socket_dir
    }

    /// Port that names the socket.
    pub fn port(&self) -> u16 {
        self.running.port
    }

    /// The superuser that latclinic works as.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The database that latclinic works in.
    pub fn database(&self) -> &'static str {
        DATABASE
    }

    /// The version as PostgreSQL writes it, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.running.version
    }

    /// PostgreSQL's data directory.
    pub fn cluster(&self) -> PathBuf {
        self.running.cluster.clone()
    }
}

/// A server that ends with this process, if the process ends at once.
#[derive(Debug, Clone)]
pub struct Abandoned {
    pid: u32,
    folder: Folder,
}

impl Abandoned {
    /// Told right before the end: the kernel then asks the server to shut down fast, which one that recovers from a crash
    /// must not be asked for.
    pub fn tell(&self) {
        if self.folder.is_recovering() {
            let _ = kill(process::to_pid(self.pid), Signal::SIGQUIT);
        }
    }
}

/// The server that `server start` left running, if it can be used. Any other server that is found belonged to a
/// latclinic that was killed, or is of no use any more: it is shut down.
fn take_over(
    folder: &Folder,
    options: &Options,
    notes: &dyn Fn(&str),
    cancel: &CancellationToken,
) -> Result<Option<Running>> {
    let Some(found) = Found::look(folder)? else { return Ok(None) };
    if let Some(running) = found.running().filter(|running| running.kept) {
        if folder.is_recovering() {
            notes("waiting until the running server has recovered from its crash");
            process::wait_until(RECOVERY, || cancel.is_cancelled() || found.is_gone() || !folder.is_recovering());
        }
        if running.answers() {
            check_fits(&running, found.cluster.major, options)?;
            return Ok(Some(running));
        }
        notes(&format!("the running server does not answer in {}: restarting it", running.socket_dir.display()));
    } else {
        notes(&format!("shutting down the server that an earlier latclinic left behind (pid {})", found.pid));
    }
    stop(folder, &found, notes)?;
    Ok(None)
}

/// Fails when the running server is not what was asked for.
fn check_fits(running: &Running, major: u32, options: &Options) -> Result<()> {
    let needed = settings::connections_needed(options.max_connections);
    if running.max_connections < needed {
        let message = format!(
            "the running server allows {} connections, but a load of {} needs {needed}",
            running.max_connections, options.max_connections
        );
        return Err(Error::usage(message)
            .with_hint("ask for fewer clients, or `latclinic server stop` to let this command start its own"));
    }
    let Some(pg_bin) = &options.pg_bin else { return Ok(()) };
    let asked = binaries::find(Some(pg_bin))?;
    if asked.major == major {
        return Ok(());
    }
    Err(Error::usage(format!(
        "the running server is PostgreSQL {}, but {} holds {}",
        running.version,
        Field::PgBin,
        asked.version
    ))
    .with_hint(format!("run `latclinic server stop` first, or omit {}", Field::PgBin))
    .about(&[Field::PgBin]))
}

/// Stops a server that this process did not start.
pub(super) fn stop(folder: &Folder, found: &Found, notes: &dyn Fn(&str)) -> Result<()> {
    if found.state.is_none() && cluster_is_free(found) {
        return Err(postmaster::not_ours(&found.cluster, found.pid));
    }
    process::shut_down(found.pid, folder, notes, || found.is_gone())?;
    State::forget(folder);
    Ok(())
}

/// Whether no process holds the cluster lock, as every process of a server of latclinic's does.
fn cluster_is_free(found: &Found) -> bool {
    File::open(found.cluster.lock()).map_or(true, |file| file.try_lock_shared().is_ok())
}
