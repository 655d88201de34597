//! Signals that ask for the end: the first makes a command stop and save, the second ends the program.

use std::{
    future::Future,
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    Exit,
    signals::{Ending, Signals},
};

/// Signals that follow the first within this time are the same request. `timeout` and some supervisors signal the
/// process and then its whole group, a terminal that closes sends SIGHUP by its shell and by the kernel.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// What the signals mean for a command that runs.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    token: CancellationToken,
    exit: Arc<OnceLock<Exit>>,
    left_to_child: Arc<AtomicBool>,
    before_quitting: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
}

impl Interrupt {
    /// Cancelled by the first signal.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// The exit code that the signal asks for, once there was one.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.exit.get().copied()
    }

    /// From now on signals are the business of a child in the foreground, which the command waits for.
    pub(crate) fn leave_to_child(&self) {
        self.left_to_child.store(true, Ordering::Relaxed);
    }

    /// What the second signal does before it ends the program; the first thing told counts.
    pub(crate) fn before_quitting(&self, act: impl Fn() + Send + Sync + 'static) {
        let _ = self.before_quitting.set(Box::new(act));
    }

    async fn listen(self) -> io::Result<()> {
        let mut signals = Signals::listen()?;
        let mut first = None;
        loop {
            let ending = signals.next().await;
            let exit = ending.exit();
            if self.left_to_child.load(Ordering::Relaxed) {
                continue;
            }
            let first = *first.get_or_insert_with(Instant::now);
            if self.exit.set(exit).is_err() {
                // Nobody asks twice by closing a terminal.
                if ending == Ending::HangUp || first.elapsed() < SAME_REQUEST {
                    continue;
                }
                if let Some(act) = self.before_quitting.get() {
                    act();
                }
                quit(exit);
            }
            self.token.cancel();
        }
    }
}

/// Runs a command on a runtime of this thread while listening for signals.
pub(crate) fn block_on<F: Future>(command: impl FnOnce(Interrupt) -> F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let output = runtime.block_on(async {
        let interrupt = Interrupt::default();
        let listener = tokio::spawn(interrupt.clone().listen());
        // The handlers are in place before the command begins: a signal in its first moments must not be lost.
        tokio::task::yield_now().await;
        let output = command(interrupt).await;
        listener.abort();
        output
    });
    // A name that is being looked up is not waited for.
    runtime.shutdown_background();
    Ok(output)
}

#[expect(clippy::exit, reason = "whoever asks twice wants out now; the kernel stops the server with this process")]
fn quit(exit: Exit) -> ! {
    std::process::exit(exit as i32)
}
