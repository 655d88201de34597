//! `latclinic server`: the managed PostgreSQL.

mod status;

use std::{
    ffi::OsString,
    future,
    io::{self, IsTerminal},
    thread,
};

use clap::{Subcommand, ValueEnum};
use nix::{sys::signal::kill, unistd::Pid};
use tokio::{
    process::{Child, Command},
    sync::oneshot,
};

use super::{
    CommandError, Exit, Output, count,
    interrupt::{self, Interrupt},
    managed::ManagedArgs,
    signals::{Ending, Signals},
};
use crate::clinic::{
    self, Event, Events,
    managed::{self, Reached},
};

/// Start, stop, inspect or delete the managed PostgreSQL
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  latclinic server start
  latclinic server psql -- -c 'SELECT version()'
  latclinic server status --format json")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start the server and leave it running; other commands then use it
    #[command(after_help = "Examples:
  latclinic server start
  latclinic server start --clients 500")]
    Start {
        #[command(flatten)]
        managed: ManagedArgs,
        /// Most clients that a load will use at once
        #[arg(long, value_name = "N", default_value = "80", value_parser = count::clients)]
        clients: u32,
    },
    /// Stop the server as soon as no command uses it
    #[command(after_help = "Examples:
  latclinic server stop
  latclinic server stop --data-dir /srv/latclinic")]
    Stop {
        #[command(flatten)]
        managed: ManagedArgs,
    },
    /// Show the server, its data folder, size, socket and settings
    #[command(after_help = "Examples:
  latclinic server status
  latclinic server status --format json")]
    Status {
        #[command(flatten)]
        managed: ManagedArgs,
        /// Format of the status
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Open psql on the server; if it does not run, it is started for that time
    #[command(after_help = "Examples:
  latclinic server psql
  latclinic server psql -- -c 'SELECT version()'")]
    Psql {
        #[command(flatten)]
        managed: ManagedArgs,
        /// Arguments for psql
        #[arg(last = true, value_name = "ARGS")]
        args: Vec<OsString>,
    },
    /// Stop the server and delete its data folder
    #[command(after_help = "Examples:
  latclinic server destroy
  latclinic server destroy --yes")]
    Destroy {
        #[command(flatten)]
        managed: ManagedArgs,
        /// Delete without asking
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
        status::psql_line(running),
    ));
    Ok(Exit::Done)
}

async fn stop(managed: ManagedArgs, output: &mut Output, interrupt: &Interrupt) -> Result<Exit, CommandError> {
    let stopped = managed::stop(managed.options(0), &Notes(output), interrupt.token()).await?;
    output.result(&stopped.map_or_else(
        || "no server was running".to_owned(),
        |pid| format!("the server (pid {pid}) has stopped; its data are kept"),
    ));
    Ok(Exit::Done)
}

fn status(managed: &ManagedArgs, format: Format, output: &mut Output) -> Result<Exit, CommandError> {
    let status = managed::status(&managed.options(0)).map_err(clinic::Error::from)?;
    output.result(&match format {
        Format::Table => status::lines(&status),
        Format::Json => format!("{:#}", status::json(&status)),
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
        output.note("this server belongs to a running command and stops when that ends");
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
    let mut signals = Signals::listen()?;
    interrupt.leave_to_child();
    let mut child = psql.kill_on_drop(true).spawn()?;
    let mut told = None;
    let ended = loop {
        tokio::select! {
            ending = signals.next() => {
                // From a terminal psql has it already.
                if let Some(exit) = exit_for(ending) {
                    told = Some(exit);
                    pass_on(&child, ending);
                }
            }
            ended = child.wait() => break ended?,
        }
    };
    // A signal to the whole process group may have ended psql before it was noticed here: look once more.
    tokio::task::yield_now().await;
    tokio::select! {
        biased;
        ending = signals.next() => told = told.or(exit_for(ending)),
        () = future::ready(()) => {}
    }
    Ok(told.unwrap_or(if ended.success() { Exit::Done } else { Exit::Failed }))
}

/// The exit code for a signal, unless it is one that a person at psql's prompt gives.
fn exit_for(ending: Ending) -> Option<Exit> {
    let at_the_prompt = matches!(ending, Ending::Interrupt | Ending::Quit) && io::stdin().is_terminal();
    (!at_the_prompt).then(|| ending.exit())
}

fn pass_on(child: &Child, ending: Ending) {
    if let Some(pid) = child.id() {
        // A psql that has just ended needs no signal.
        let _ = kill(Pid::from_raw(pid.cast_signed()), ending.signal());
    }
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
    let what = format!("{} ({})", data_dir.display(), status::size(status.size_bytes));
    if !yes && !confirmed(&what, output, interrupt).await? {
        output.result("nothing was deleted");
        return Ok(Exit::Done);
    }
    if let Some(destroyed) = managed::destroy(options, &Notes(output), interrupt.token()).await? {
        for path in destroyed.left {
            output.note(&format!("not deleted, because it is not latclinic's: {}", path.display()));
        }
    }
    output.result(&format!("deleted {what}"));
    Ok(Exit::Done)
}

async fn confirmed(what: &str, output: &Output, interrupt: &Interrupt) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        let error = anyhow::anyhow!("cannot ask whether to delete {what}: stdin is not a terminal");
        return Err(CommandError::new(Exit::Usage, error).with_hint("pass --yes to delete without asking"));
    }
    output.note(&format!("Delete {what} with all its data? Type yes:"));
    let (give, take) = oneshot::channel();
    // On a thread of its own, which ends with the program: a signal must not wait for an answer.
    thread::spawn(move || {
        let mut answer = String::new();
        let _ = give.send(io::stdin().read_line(&mut answer).map(|_| answer));
    });
    tokio::select! {
        answer = take => match answer {
            Ok(Ok(answer)) => Ok(answer.trim() == "yes"),
            Ok(Err(cause)) => Err(CommandError::new(Exit::Failed, cause)),
            Err(_) => Ok(false),
        },
        () = interrupt.token().cancelled() => {
            Err(CommandError::new(Exit::Interrupted, anyhow::anyhow!("interrupted: nothing was deleted")))
        }
    }
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
