//! `latclinic server`: the managed PostgreSQL.

use std::{
    ffi::OsString,
    io::{self, BufRead, IsTerminal},
    process::ExitStatus,
};

use clap::{Subcommand, ValueEnum};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use super::{
    CommandError, Exit, Output,
    interrupt::{self, Interrupt},
    managed::ManagedArgs,
};
use crate::clinic::{
    self, Event, Events,
    managed::{self, Reached, Running, Status},
};

/// Start, stop, look into or delete the managed PostgreSQL.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the server and leave it running; other commands then use it
    Start {
        #[command(flatten)]
        managed: ManagedArgs,
        /// Clients that a load will use at once
        #[arg(long, value_name = "N", default_value_t = 80)]
        clients: u32,
    },
    /// Stop the server once no command works with it
    Stop {
        #[command(flatten)]
        managed: ManagedArgs,
    },
    /// Show the server, its data folder, size, socket and settings
    Status {
        #[command(flatten)]
        managed: ManagedArgs,
        /// How to show it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Open psql on the server, starting it for that long if it does not run
    Psql {
        #[command(flatten)]
        managed: ManagedArgs,
        /// Arguments for psql
        #[arg(last = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
    /// Stop the server and delete its data folder
    Destroy {
        #[command(flatten)]
        managed: ManagedArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs `latclinic server`.
pub(crate) fn run(args: Args, output: &mut Output) -> Result<Exit, CommandError> {
    let ran = interrupt::block_on(async |interrupt| match act(args.action, output, &interrupt).await {
        // A signal tells SIGTERM from Ctrl-C, which the error does not.
        Err(error) if error.exit == Exit::Interrupted => {
            Err(CommandError { exit: interrupt.exit().unwrap_or(error.exit), ..error })
        }
        other => other,
    });
    ran.map_err(|cause| CommandError::new(Exit::Failed, cause))?
}

async fn act(action: Action, output: &mut Output, interrupt: &Interrupt) -> Result<Exit, CommandError> {
    match action {
        Action::Start { managed, clients } => start(managed, clients, output, interrupt).await,
        Action::Stop { managed } => stop(managed, output, interrupt).await,
        Action::Status { managed, format } => status(&managed, format, output),
        Action::Psql { managed, args } => psql(managed, args, output, interrupt).await,
        Action::Destroy { managed, yes } => destroy(managed, yes, output, interrupt).await,
    }
}

async fn start(
    managed: ManagedArgs,
    clients: u32,
    output: &mut Output,
    interrupt: &Interrupt,
) -> Result<Exit, CommandError> {
    let started = managed::start(managed.options(clients), &Notes(output), interrupt.token()).await?;
    let running = &started.running;
    let how = if started.before { "runs already" } else { "is running" };
    output.result(&format!(
        "PostgreSQL {} {how} (pid {}), up to {} connections\nconnect  {}\nstop     latclinic server stop",
        running.version,
        running.pid,
        running.max_connections,
        psql_line(running),
    ));
    Ok(Exit::Done)
}

async fn stop(managed: ManagedArgs, output: &mut Output, interrupt: &Interrupt) -> Result<Exit, CommandError> {
    let stopped = managed::stop(managed.options(0), &Notes(output), interrupt.token()).await?;
    output.result(&stopped.map_or_else(
        || "no server was running".to_owned(),
        |pid| format!("the server (pid {pid}) has stopped; its data stay"),
    ));
    Ok(Exit::Done)
}

fn status(managed: &ManagedArgs, format: Format, output: &mut Output) -> Result<Exit, CommandError> {
    let status = managed::status(&managed.options(0)).map_err(clinic::Error::from)?;
    output.result(&match format {
        Format::Table => status_lines(&status),
        Format::Json => format!("{:#}", status_json(&status)),
    });
    Ok(Exit::Done)
}

async fn psql(
    managed: ManagedArgs,
    args: Vec<OsString>,
    output: &mut Output,
    interrupt: &Interrupt,
) -> Result<Exit, CommandError> {
    let notes = Notes(output);
    let reached = managed::reach(managed.options(0), "latclinic server psql", &notes, interrupt.token()).await?;
    if let Reached::Running(running) = &reached
        && !running.kept
    {
        output.note("this server belongs to a command that is at work, and stops when that ends");
    }
    let mut psql = Command::from(managed::psql_command(reached.running()).map_err(clinic::Error::from)?);
    psql.args(args);
    let ended = wait_for_psql(psql, interrupt).await;
    if let Reached::Leased(lease) = reached {
        managed::release(*lease, &notes).await?;
    }
    ended.map_err(|cause| CommandError::new(Exit::Failed, anyhow::Error::new(cause).context("cannot run psql")))
}

/// Waits for psql, which deals with Ctrl-C itself: it cancels the statement, and at the prompt it does nothing.
async fn wait_for_psql(mut psql: Command, interrupt: &Interrupt) -> io::Result<Exit> {
    let (mut ctrl_c, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    interrupt.leave_to_child();
    let mut child = psql.kill_on_drop(true).spawn()?;
    let mut told = None;
    loop {
        tokio::select! {
            ended = child.wait() => return Ok(told.unwrap_or(psql_exit(ended?))),
            _ = ctrl_c.recv() => {
                told = told.or(interrupted_without_terminal());
                // From a terminal psql has it already.
                if told.is_some() {
                    pass_on(&child, Signal::SIGINT);
                }
            }
            _ = terminate.recv() => {
                told = Some(Exit::Terminated);
                pass_on(&child, Signal::SIGTERM);
            }
        }
    }
}

fn interrupted_without_terminal() -> Option<Exit> {
    (!io::stdin().is_terminal()).then_some(Exit::Interrupted)
}

fn pass_on(child: &Child, signal: Signal) {
    if let Some(pid) = child.id() {
        // A psql that has just ended needs no signal.
        let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
    }
}

fn psql_exit(status: ExitStatus) -> Exit {
    if status.success() { Exit::Done } else { Exit::Failed }
}

async fn destroy(
    managed: ManagedArgs,
    yes: bool,
    output: &mut Output,
    interrupt: &Interrupt,
) -> Result<Exit, CommandError> {
    let options = managed.options(0);
    let status = managed::status(&options).map_err(clinic::Error::from)?;
    let Some(data_dir) = &status.data_dir else {
        output.result("there is no data folder");
        return Ok(Exit::Done);
    };
    let what = format!("{} ({})", data_dir.display(), size(status.size_bytes));
    if !yes && !confirmed(&what, output)? {
        output.result("nothing was deleted");
        return Ok(Exit::Done);
    }
    if let Some(destroyed) = managed::destroy(options, &Notes(output), interrupt.token()).await? {
        for path in destroyed.left {
            output.note(&format!("left in place, for it is not latclinic's: {}", path.display()));
        }
    }
    output.result(&format!("deleted {what}"));
    Ok(Exit::Done)
}

fn confirmed(what: &str, output: &Output) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        let error = anyhow::anyhow!("there is no terminal on which to confirm that {what} shall be deleted");
        return Err(CommandError::new(Exit::Usage, error).with_hint("repeat it with --yes"));
    }
    output.note(&format!("Delete {what} with all its data? Type yes:"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|cause| CommandError::new(Exit::Failed, cause))?;
    Ok(answer.trim() == "yes")
}

fn psql_line(running: &Running) -> String {
    format!("psql -h {} -p {} -U latclinic latclinic", running.socket_dir.display(), running.port)
}

fn status_lines(status: &Status) -> String {
    let Some(data_dir) = &status.data_dir else {
        return "server    not running\ndata      none yet: the first command that needs it makes it".to_owned();
    };
    let majors = match status.majors.as_slice() {
        [] => "empty".to_owned(),
        majors => format!("PostgreSQL {}", majors.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut rows = vec![("data", format!("{} ({}, {majors})", data_dir.display(), size(status.size_bytes)))];
    if let Some(job) = &status.job {
        rows.push(("job", format!("{} (pid {})", job.command, job.pid)));
    }
    match (&status.running, status.unsettled) {
        (Some(running), _) => {
            let until = if running.kept { "until `latclinic server stop`" } else { "until its command ends" };
            rows.insert(0, ("server", format!("PostgreSQL {}, running {until}", running.version)));
            rows.push(("pid", running.pid.to_string()));
            rows.push(("since", since(running)));
            rows.push(("socket", running.socket_dir.display().to_string()));
            rows.push(("binaries", running.bin_dir.display().to_string()));
            rows.push(("connect", psql_line(running)));
            rows.extend(running.settings.iter().enumerate().map(|(index, (name, value))| {
                let value = if value.is_empty() { "''" } else { value };
                (if index == 0 { "settings" } else { "" }, format!("{name} = {value}"))
            }));
        }
        (None, Some(pid)) => rows.insert(0, ("server", format!("starting, stopping or not latclinic's (pid {pid})"))),
        (None, None) => rows.insert(0, ("server", "not running".to_owned())),
    }
    rows.iter().map(|(name, value)| format!("{name:<9} {value}")).collect::<Vec<_>>().join("\n")
}

fn status_json(status: &Status) -> serde_json::Value {
    json!({
        "data_dir": status.data_dir.as_ref().map(|path| path.display().to_string()),
        "size_bytes": status.size_bytes,
        "majors": status.majors,
        "job": status.job.as_ref().map(|job| json!({ "pid": job.pid, "command": job.command })),
        "unsettled_pid": status.unsettled,
        "running": status.running.as_ref().map(|running| json!({
            "version": running.version,
            "pid": running.pid,
            "since": since(running),
            "kept": running.kept,
            "cluster": running.cluster.display().to_string(),
            "bin_dir": running.bin_dir.display().to_string(),
            "socket_dir": running.socket_dir.display().to_string(),
            "port": running.port,
            "max_connections": running.max_connections,
            "settings": running.settings,
        })),
    })
}

fn since(running: &Running) -> String {
    jiff::Timestamp::from_second(running.started_at).map_or_else(|_| "unknown".to_owned(), |moment| moment.to_string())
}

/// Bytes as PostgreSQL writes sizes: 1 kB is 1024 bytes.
fn size(bytes: u64) -> String {
    let mut size = bytes;
    for unit in ["bytes", "kB", "MB"] {
        if size < 10 * 1024 {
            return format!("{size} {unit}");
        }
        size /= 1024;
    }
    format!("{size} GB")
}

/// Shows what the server tells as lines on stderr.
struct Notes<'a>(&'a Output);

impl Events for Notes<'_> {
    fn event(&self, event: Event) {
        if let Event::Note(text) | Event::Step(text) = event {
            self.0.note(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use super::*;
    use crate::clinic::managed::Job;

    fn running() -> Status {
        Status {
            data_dir: Some(PathBuf::from("/var/lib/latclinic")),
            size_bytes: 48_234_496,
            majors: vec![15],
            running: Some(Running {
                pid: 4711,
                started_at: 1_767_268_800,
                socket_dir: PathBuf::from("/run/latclinic-0123456789abcdef"),
                port: 5432,
                cluster: PathBuf::from("/var/lib/latclinic/pg15"),
                version: "15.18".to_owned(),
                bin_dir: PathBuf::from("/usr/lib/postgresql/15/bin"),
                kept: false,
                max_connections: 100,
                settings: BTreeMap::from([
                    ("fsync".to_owned(), "on".to_owned()),
                    ("listen_addresses".to_owned(), String::new()),
                ]),
            }),
            unsettled: None,
            job: Some(Job { pid: 4700, command: "latclinic run".to_owned() }),
        }
    }

    #[test]
    fn a_running_server_as_a_person_reads_it() {
        insta::assert_snapshot!(status_lines(&running()), @r"
        server    PostgreSQL 15.18, running until its command ends
        data      /var/lib/latclinic (46 MB, PostgreSQL 15)
        job       latclinic run (pid 4700)
        pid       4711
        since     2026-01-01T12:00:00Z
        socket    /run/latclinic-0123456789abcdef
        binaries  /usr/lib/postgresql/15/bin
        connect   psql -h /run/latclinic-0123456789abcdef -p 5432 -U latclinic latclinic
        settings  fsync = on
                  listen_addresses = ''
        ");
    }

    #[test]
    fn a_running_server_as_a_program_reads_it() {
        insta::assert_snapshot!(format!("{:#}", status_json(&running())), @r#"
        {
          "data_dir": "/var/lib/latclinic",
          "size_bytes": 48234496,
          "majors": [
            15
          ],
          "job": {
            "pid": 4700,
            "command": "latclinic run"
          },
          "unsettled_pid": null,
          "running": {
            "version": "15.18",
            "pid": 4711,
            "since": "2026-01-01T12:00:00Z",
            "kept": false,
            "cluster": "/var/lib/latclinic/pg15",
            "bin_dir": "/usr/lib/postgresql/15/bin",
            "socket_dir": "/run/latclinic-0123456789abcdef",
            "port": 5432,
            "max_connections": 100,
            "settings": {
              "fsync": "on",
              "listen_addresses": ""
            }
          }
        }
        "#);
    }

    #[test]
    fn a_server_that_does_not_run() {
        let stopped = Status { running: None, job: None, ..running() };
        insta::assert_snapshot!(status_lines(&stopped), @r"
        server    not running
        data      /var/lib/latclinic (46 MB, PostgreSQL 15)
        ");
        let starting = Status { unsettled: Some(4711), ..stopped };
        assert!(status_lines(&starting).starts_with("server    starting, stopping or not latclinic's (pid 4711)"));
        let nothing = Status { data_dir: None, unsettled: None, ..starting };
        insta::assert_snapshot!(status_lines(&nothing), @r"
        server    not running
        data      none yet: the first command that needs it makes it
        ");
    }

    #[test]
    fn sizes_are_as_postgresql_writes_them() {
        assert_eq!([0, 9_000, 48_234_496, 20 << 30].map(size), ["0 bytes", "9000 bytes", "46 MB", "20 GB"]);
    }
}
