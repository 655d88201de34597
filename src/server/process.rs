//! Processes of the server: how they are spawned, who they are, how they are waited for.

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, getpid, getppid, setsid},
};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, RefreshKind, System, UpdateKind};
use tokio_util::sync::CancellationToken;

use super::{
    account::Account,
    error::{Error, Result},
    folder::Folder,
};

use crate::text::Field;

/// How often a condition is looked at.
pub(super) const POLL: Duration = Duration::from_millis(5);

/// How long a server may recover from a crash before it is stopped all the same; the next start goes on with that.
pub(super) const RECOVERY: Duration = Duration::from_secs(20);

/// How often the log is looked at while a server shuts down.
const LOOK_AT_LOG: Duration = Duration::from_millis(200);

/// How long the processes may take to end that a postmaster left behind.
const ORPHANS_END: Duration = Duration::from_secs(5);

/// What becomes of a server process when latclinic dies without stopping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Orphan {
    /// The kernel sends it SIGINT, PostgreSQL's fast shutdown (Linux; elsewhere the next latclinic stops it).
    Stops,
    /// It goes on.
    Lives,
}

/// Who has a process id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// A PostgreSQL process that works in the cluster.
    Server,
    /// Nobody, or a process that has ended and was not reaped.
    Nobody,
    /// A process that has nothing to do with the cluster.
    Stranger,
}

/// Ends what is left of a server whose postmaster is gone. Nothing is lost: what they committed is in the log.
pub(super) fn end_orphans(cluster: &Path) {
    let Ok(mut system) = System::new_with_specifics(RefreshKind::nothing()) else { return };
    let what = ProcessRefreshKind::nothing().with_cwd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let of_cluster = |process: &&sysinfo::Process| process.cwd() == Some(cluster) && process.thread_kind().is_none();
    let pids: Vec<u32> = system.processes().values().filter(of_cluster).map(|process| process.pid().as_u32()).collect();
    let is_left = |pid: &u32| holder(*pid, cluster) == Holder::Server;
    for pid in pids.iter().filter(|pid| is_left(pid)) {
        let _ = kill(to_pid(*pid), Signal::SIGQUIT);
    }
    wait_until(ORPHANS_END, || !pids.iter().any(is_left));
}

/// Whether the process `pid` is a PostgreSQL that works in `cluster`: each changes into its data directory at start.
pub(super) fn holder(pid: u32, cluster: &Path) -> Holder {
    let pid = sysinfo::Pid::from_u32(pid);
    let Ok(mut system) = System::new_with_specifics(RefreshKind::nothing()) else { return Holder::Stranger };
    let what = ProcessRefreshKind::nothing().with_cwd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
    let Some(process) = system.process(pid) else { return Holder::Nobody };
    if matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead) {
        return Holder::Nobody;
    }
    let is_postgres = process.name().to_string_lossy().starts_with("postgres");
    if is_postgres && process.cwd() == Some(cluster) { Holder::Server } else { Holder::Stranger }
}

/// A command that runs `program` for `account` in `cwd`, apart from the user's environment and terminal.
///
/// The environment is the server's own: what the caller has in `PG*`, `LANG` or `TZ` must not change what is measured.
pub(super) fn command(program: &Path, account: &Account, cwd: &Path, orphan: Orphan) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir(cwd).stdin(Stdio::null());
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if account.switch {
        // The standard library also drops root's supplementary groups here.
        command.uid(account.uid).gid(account.gid);
    }
    detach(&mut command, orphan);
    command
}

/// Gives the child a session of its own, so that Ctrl-C in the terminal does not reach it: latclinic saves first and stops
/// the server afterwards. Ties it to the spawning thread if it shall stop with it.
#[expect(unsafe_code, reason = "there is no safe way to set the parent death signal of a child")]
fn detach(command: &mut Command, orphan: Orphan) {
    let parent = getpid();
    // SAFETY: between fork and exec the closure makes nothing but system calls: setsid, prctl and getppid, all
    // async-signal-safe, without allocation or locks.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            if orphan == Orphan::Stops {
                stop_with_parent(parent)?;
            }
            Ok(())
        });
    }
}

#[cfg(target_os = "linux")]
fn stop_with_parent(parent: Pid) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGINT)?;
    // The parent may have died before the signal was set; then nobody would ever send it.
    if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
}

#[cfg(not(target_os = "linux"))]
fn stop_with_parent(parent: Pid) -> io::Result<()> {
    if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
}

/// A thread that lives as long as this value.
///
/// The parent death signal is sent when the *thread* that spawned the child ends, not the process: a server spawned from
/// a runtime's worker or blocking thread would be shut down when the runtime retires that thread.
#[derive(Debug)]
pub(super) struct Keeper {
    _alive: mpsc::Sender<()>,
}

impl Keeper {
    /// Spawns a child from a new thread that then only waits.
    pub(super) fn spawn(mut command: Command) -> io::Result<(Child, Self)> {
        let (give, take) = mpsc::channel();
        let (alive, ended) = mpsc::channel::<()>();
        thread::Builder::new().name("server-keeper".to_owned()).spawn(move || {
            let spawned = command.spawn();
            // The command holds copies of the lock and the log, which belong to the child alone from here on.
            drop(command);
            if give.send(spawned).is_ok() {
                let _ = ended.recv();
            }
        })?;
        let child = take.recv().map_err(|_| {
            io::Error::other("the thread that starts the server ended unexpectedly; this is a bug in latclinic")
        })??;
        Ok((child, Self { _alive: alive }))
    }
}

/// Runs a helper program to its end with its output in the log; `doing` is for the error and for who interrupts.
///
/// The calling thread waits here, so the parent death signal holds.
pub(super) fn run(
    mut command: Command,
    doing: &str,
    account: &Account,
    folder: &Folder,
    cancel: &CancellationToken,
) -> Result<()> {
    let (log, begin) = folder.open_log()?;
    let failed = |cause| Error::io("use the log", &folder.log(), cause);
    command.stdout(log.try_clone().map_err(failed)?).stderr(log);
    let program = command.get_program().to_owned();
    let cwd = command.get_current_dir().unwrap_or(folder.root()).to_owned();
    let mut child = command.spawn().map_err(|cause| account.cannot_spawn(program.as_ref(), &cwd, cause))?;
    let status = loop {
        if cancel.is_cancelled() {
            // initdb takes its files away on SIGTERM; the folder is a temporary one in any case.
            let _ = kill(pid_of(&child), Signal::SIGTERM);
            let _ = child.wait();
            return Err(Error::interrupted(doing));
        }
        match child
            .try_wait()
            .map_err(|cause| Error::failed(format!("cannot observe the process while {doing}")).with_source(cause))?
        {
            Some(status) => break status,
            None => thread::sleep(POLL),
        }
    };
    if status.success() { Ok(()) } else { Err(died(doing, status, folder, begin)) }
}

/// The error for a process that ended badly: what it said since `begin`, in words, and a way out.
pub(super) fn died(doing: &str, status: ExitStatus, folder: &Folder, begin: u64) -> Error {
    let said = folder.logged_since(begin);
    let words = telling_lines(&said);
    let ending = if words.is_empty() { status.to_string() } else { words };
    let hint = way_out(&said).map_or_else(
        || format!("its log is {}", folder.log().display()),
        |hint| format!("{hint}; its log is {}", folder.log().display()),
    );
    Error::failed(format!("{doing} failed: {ending}")).with_hint(hint).about(&[Field::DataDir, Field::PgBin])
}

/// What PostgreSQL gave as the reason: its errors with their details, else its last lines.
fn telling_lines(said: &str) -> String {
    let severities = ["FATAL:", "PANIC:", "ERROR:", "error:", "DETAIL:", "HINT:"];
    let telling: Vec<&str> = said
        .lines()
        .filter_map(|line| {
            severities.iter().find_map(|severity| line.split_once(severity)).map(|(_, text)| text.trim())
        })
        .collect();
    if !telling.is_empty() {
        return telling.join("; ");
    }
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join("; ")
}

fn way_out(said: &str) -> Option<&'static str> {
    let known = [
        ("No space left on device", "free some space on that disk, or choose another folder with `data_dir`"),
        ("Cannot allocate memory", "free some memory: the server takes a quarter of it, up to 2 GB, for its buffers"),
        ("could not map anonymous shared memory", "free some memory: the server takes a quarter of it, up to 2 GB"),
        ("could not look up effective user ID", "the user needs an entry in /etc/passwd"),
        ("in use by another", "another server works on these data: stop it first"),
        ("could not locate a valid checkpoint", "the data are damaged: `latclinic server destroy` and seed again"),
        ("invalid primary checkpoint", "the data are damaged: `latclinic server destroy` and seed again"),
        (
            "incompatible with server",
            "choose binaries of that version with `pg_bin`, or run `latclinic server destroy`",
        ),
        ("could not find the database system", "data are missing: `latclinic server destroy` and seed again"),
        (
            "could not access the server configuration file",
            "data are missing: `latclinic server destroy` and seed again",
        ),
        ("configuration file", "correct postgresql.conf or postgresql.auto.conf in the data folder"),
    ];
    known.iter().find(|(sign, _)| said.contains(sign)).map(|(_, advice)| *advice)
}

/// Shuts a server down: fast first, at once if that takes too long. `gone` tells whether it has ended, and has to make
/// sure each time that the process is still the one meant.
///
/// A server that recovers from a crash is given time to do so. It is never told to shut down fast meanwhile: PostgreSQL
/// then waits for ever for processes that it has told nothing.
pub(super) fn shut_down(pid: u32, folder: &Folder, notes: &dyn Fn(&str), mut gone: impl FnMut() -> bool) -> Result<()> {
    if folder.is_recovering() && !gone() {
        notes("waiting until the server has recovered from its crash");
        wait_until(RECOVERY, || gone() || !folder.is_recovering());
    }
    // SIGINT ends sessions and writes a checkpoint, which after much seeding takes a while; SIGQUIT leaves that to the next start.
    for (signal, patience) in [(Signal::SIGINT, Duration::from_secs(120)), (Signal::SIGQUIT, Duration::from_secs(20))] {
        if gone() {
            return Ok(());
        }
        if signal == Signal::SIGINT && folder.is_recovering() {
            continue;
        }
        match kill(to_pid(pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(cause) => {
                return Err(Error::failed(format!("cannot stop the server (pid {pid})")).with_source(cause.into()));
            }
        }
        let mut looked = Instant::now();
        let mut hangs = || {
            let looks = signal == Signal::SIGINT && looked.elapsed() >= LOOK_AT_LOG;
            looked = if looks { Instant::now() } else { looked };
            looks && folder.is_recovering()
        };
        wait_until(patience, || gone() || hangs());
        if gone() {
            return Ok(());
        }
    }
    Err(Error::failed(format!("the server (pid {pid}) does not stop"))
        .with_hint(format!("look at it with `ps -fp {pid}`")))
}

/// Looks at a condition until it holds or the patience is at its end; gives whether it holds.
pub(super) fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begin.elapsed() >= patience {
            return false;
        }
        thread::sleep(POLL);
    }
}

fn pid_of(child: &Child) -> Pid {
    to_pid(child.id())
}

pub(super) fn to_pid(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_no_server_and_a_dead_one_is_nobody() {
        let cwd = std::env::current_dir().unwrap();
        assert_eq!(holder(std::process::id(), &cwd), Holder::Stranger);
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        assert!(wait_until(Duration::from_secs(10), || holder(pid, &cwd) == Holder::Nobody), "a zombie is nobody");
        child.wait().unwrap();
        assert_eq!(holder(pid, &cwd), Holder::Nobody);
    }

    #[test]
    fn the_reason_is_taken_from_what_the_server_said() {
        let said = "2026-01-01 LOG:  starting\n2026-01-01 FATAL:  could not map anonymous shared memory: Cannot allocate memory\n\
                    2026-01-01 HINT:  reduce shared_buffers\n2026-01-01 LOG:  shut down\n";
        assert_eq!(
            telling_lines(said),
            "could not map anonymous shared memory: Cannot allocate memory; reduce shared_buffers"
        );
        assert!(way_out(said).is_some_and(|hint| hint.contains("memory")));
        assert_eq!(telling_lines("one\n\ntwo\nthree\nfour\n"), "two; three; four");
        assert_eq!(way_out("nothing known"), None);
    }
}
