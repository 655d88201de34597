//! The signals that ask a command to end.

use std::io;

use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind, signal};

use super::{Exit, inherited};

/// A signal that asks for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\.
    Quit,
    /// `kill`, and a machine that is shut down.
    Terminate,
    /// The terminal is gone.
    HangUp,
}

impl Ending {
    /// The exit code that says so.
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Quit => Exit::Quit,
            Self::Terminate => Exit::Terminated,
            Self::HangUp => Exit::HungUp,
        }
    }

    /// As the kernel calls it.
    pub(super) fn signal(self) -> Signal {
        match self {
            Self::Interrupt => Signal::SIGINT,
            Self::Quit => Signal::SIGQUIT,
            Self::Terminate => Signal::SIGTERM,
            Self::HangUp => Signal::SIGHUP,
        }
    }
}

/// Hears those signals, which from then on do nothing else.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: unix::Signal,
    quit: unix::Signal,
    terminate: unix::Signal,
    /// `None` where the process was started to outlive its terminal.
    hang_up: Option<unix::Signal>,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let hang_up = (!inherited::hangup_ignored()).then(|| signal(SignalKind::hangup()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: hang_up.transpose()?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Ending {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Ending::Interrupt,
            _ = self.quit.recv() => Ending::Quit,
            _ = self.terminate.recv() => Ending::Terminate,
            _ = hang_up => Ending::HangUp,
        }
    }
}
