//! Starts a server and stops it.

use std::{
    fs, io,
    path::PathBuf,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use tokio_util::sync::CancellationToken;

use super::{
    error::{Error, Result},
    folder::{self, Cluster, Folder},
    init, lock,
    postmaster_pid::PostmasterPid,
    process::{self, Holder, Keeper, Orphan},
    settings, socket,
    state::{Running, State},
};
use crate::server::site::Site;

/// How long a start may take before the user is told why it may take longer.
const QUICK_START: Duration = Duration::from_secs(3);

/// How often the server is asked whether it is ready.
const READY_POLL: Duration = Duration::from_millis(2);

/// A server that this process started; stopped when dropped.
#[derive(Debug)]
pub(super) struct Postmaster {
    /// None once it has ended or was left running.
    child: Option<Child>,
    _keeper: Keeper,
    folder: Folder,
    cluster: PathBuf,
    socket_dir: PathBuf,
}

/// Starts a server that takes at least `asked` connections and waits until it is ready, making its cluster first if there
/// is none. The caller holds the job lock.
pub(super) fn start(
    site: &Site<'_>,
    asked: u32,
    orphan: Orphan,
    notes: &dyn Fn(&str),
    cancel: &CancellationToken,
) -> Result<(Postmaster, Running)> {
    let Site { folder, cluster, installation, account } = site;
    let version = &installation.version;
    settings::check_connections(asked, settings::memory_bytes())?;
    let server = PostmasterPid::read_pid(&cluster.path);
    if server.is_none_or(|pid| process::holder(pid, &cluster.path) != Holder::Server) {
        // Backends of a postmaster that was killed would keep the lock until their statements end.
        lock::if_held(cluster, || process::end_orphans(&cluster.path));
    }
    let lock = lock::lock_cluster(cluster, account, cancel)?;
    folder.remove_leftovers()?;
    if !cluster.path.exists() {
        notes(&format!("creating a PostgreSQL {version} in {}", cluster.path.display()));
        init::create(site, cancel)?;
    }
    cluster.check_version()?;
    remove_stale_pid_file(cluster)?;

    let fitted = settings::fitting(settings::memory_bytes(), installation.has_pg_stat_statements());
    folder::write_whole(&cluster.path.join(settings::FILE), &settings::file_text(&fitted), 0o644)?;
    let socket_dir = socket::prepare(folder.root(), account)?;
    let max_connections = settings::max_connections(asked);
    // On the command line, where neither ALTER SYSTEM nor postgresql.conf can take the server out of reach.
    let fixed = [
        ("listen_addresses", String::new()),
        ("unix_socket_directories", socket_dir.display().to_string()),
        ("unix_socket_permissions", "0700".to_owned()),
        ("port", socket::PORT.to_string()),
        ("max_connections", max_connections.to_string()),
    ];
    let (log, begin) = folder.open_log()?;
    let mut command = process::command(&installation.program("postgres"), account, &cluster.path, orphan);
    command.arg("-D").arg(&cluster.path);
    for (name, value) in &fixed {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let log_failed = |cause| Error::io("use the log", &folder.log(), cause);
    command.stdout(log.try_clone().map_err(log_failed)?).stderr(log);
    // Every process of the server inherits the cluster lock as its standard input.
    command.stdin(lock);
    let program = installation.program("postgres");
    let (child, keeper) =
        Keeper::spawn(command).map_err(|cause| account.cannot_spawn(&program, &cluster.path, cause))?;

    let mut postmaster = Postmaster {
        child: Some(child),
        _keeper: keeper,
        folder: (*folder).clone(),
        cluster: cluster.path.clone(),
        socket_dir,
    };
    let ready = postmaster.wait_until_ready(site, begin, notes, cancel)?;
    let state = State {
        pid: ready.pid,
        started_at: ready.started_at,
        kept: orphan == Orphan::Lives,
        version: version.clone(),
        bin_dir: installation.bin.clone(),
        socket_dir: postmaster.socket_dir.clone(),
        max_connections,
        settings: fitted.into_iter().chain(fixed).map(|(name, value)| (name.to_owned(), value)).collect(),
    };
    state.write(folder)?;
    Ok((postmaster, state.running(ready, cluster)))
}

impl Postmaster {
    fn wait_until_ready(
        &mut self,
        site: &Site<'_>,
        begin: u64,
        notes: &dyn Fn(&str),
        cancel: &CancellationToken,
    ) -> Result<PostmasterPid> {
        let doing = format!("starting PostgreSQL {}", site.installation.version);
        let started = Instant::now();
        let mut told = false;
        loop {
            let Some(child) = &mut self.child else { return Err(Error::failed(format!("{doing} failed"))) };
            let ended = child.try_wait().map_err(|cause| {
                Error::failed(format!("cannot observe the process while {doing}")).with_source(cause)
            })?;
            if let Some(status) = ended {
                self.child = None;
                self.clear_away();
                return Err(process::died(&doing, status, site.folder, begin));
            }
            let pid = child.id();
            let postmaster = PostmasterPid::read(&site.cluster.path);
            if let Some(ready) = postmaster.filter(|postmaster| postmaster.pid == pid && postmaster.ready) {
                return Ok(ready);
            }
            if cancel.is_cancelled() {
                self.stop(notes)?;
                return Err(Error::interrupted(&doing));
            }
            if !told && started.elapsed() > QUICK_START {
                notes(&format!(
                    "the server is still starting: after a crash it first goes through its log ({})",
                    site.folder.log().display()
                ));
                told = true;
            }
            thread::sleep(READY_POLL);
        }
    }

    /// Stops the server and waits until it has ended.
    pub(super) fn stop(&mut self, notes: &dyn Fn(&str)) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid = child.id();
        let mut gone = || !matches!(child.try_wait(), Ok(None));
        if gone() {
            process::end_orphans(&self.cluster);
        } else {
            process::shut_down(pid, &self.folder, notes, gone)?;
        }
        self.clear_away();
        Ok(())
    }

    fn clear_away(&self) {
        State::forget(&self.folder);
        socket::remove(&self.socket_dir);
    }

    /// The process, as long as it was not stopped.
    pub(super) fn child(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    /// Leaves the server running.
    pub(super) fn leave(mut self) {
        self.child = None;
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        // Whoever wants to know calls `stop`.
        let _ = self.stop(&|_| {});
    }
}

/// Removes a `postmaster.pid` that is proven stale but would keep PostgreSQL from starting.
///
/// The caller holds the cluster lock, so no process of a server of latclinic's works here. A process id that nobody has
/// is left to PostgreSQL, which removes the file after its own checks; it gives up, though, when the id now belongs to
/// a zombie or, after a reboot or in a new container, to another process of the same user.
fn remove_stale_pid_file(cluster: &Cluster) -> Result<()> {
    let path = PostmasterPid::path(&cluster.path);
    if let Some(pid) = PostmasterPid::read_pid(&cluster.path) {
        if process::holder(pid, &cluster.path) == Holder::Server {
            return Err(not_ours(cluster, pid));
        }
        if kill(Pid::from_raw(pid.cast_signed()), None) == Err(Errno::ESRCH) {
            return Ok(());
        }
    }
    match fs::remove_file(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(Error::io("remove the stale", &path, cause)),
        _ => Ok(()),
    }
}

/// The error for a server in a cluster of ours that somebody else started.
pub(super) fn not_ours(cluster: &Cluster, pid: u32) -> Error {
    Error::failed(format!("a server that latclinic did not start (pid {pid}) works in {}", cluster.path.display()))
        .with_hint(format!("stop it: `pg_ctl -D {} stop`", cluster.path.display()))
}
