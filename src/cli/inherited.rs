//! What the process has from whoever started it: a closed stdout, signals that it shall ignore, a limit on the size of files.

#![expect(
    unsafe_code,
    reason = "there is no safe way to look at a signal's action, nor to run before the standard library does"
)]

use std::sync::atomic::{AtomicBool, Ordering};

use nix::{
    libc,
    sys::signal::{SigHandler, Signal, signal},
};

static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Before `main` the standard library opens `/dev/null` in the place of each closed standard stream. After that, a stdout that
/// was closed (`>&-`) cannot be told from one that somebody wants to be thrown away, so it is looked at before.
#[used]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
static LOOK_BEFORE_MAIN: extern "C" fn() = look_at_stdout;

extern "C" fn look_at_stdout() {
    // SAFETY: reads the flags of a file descriptor, which may be closed.
    let closed = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) } == -1;
    STDOUT_CLOSED.store(closed, Ordering::Relaxed);
}

/// Whether stdout was closed when the process began.
pub(super) fn stdout_closed() -> bool {
    STDOUT_CLOSED.load(Ordering::Relaxed)
}

/// Whether whoever started the process asked that SIGHUP does nothing, as `nohup` does.
pub(super) fn hangup_ignored() -> bool {
    // SAFETY: without a new action, sigaction only writes the present one into `action`, which is large enough for it and may
    // hold any bytes before.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGHUP, std::ptr::null(), &raw mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Makes a file that grows over the limit of the process (`ulimit -f`) an error of the write, as a full disk is, instead of a
/// signal that kills.
pub(super) fn survive_file_size_limit() {
    // SAFETY: ignoring a signal runs no code of ours.
    let _ = unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) };
}
