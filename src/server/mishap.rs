//! What befalls a server while a command works with it.

use std::{fmt, path::PathBuf, process::ExitStatus};

/// Words in the log that a server begins, or takes connections again.
const BEGINS: [&str; 2] = ["starting PostgreSQL", "is ready to accept"];

/// Words in the log that all sessions are ended because a process of the server has died.
const CRASHES: &str = "terminating any other active server processes";

/// What befell a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mishap {
    /// What is known of it.
    pub(super) what: What,
    /// Its log.
    pub(super) log: PathBuf,
}

/// What is known of a mishap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A process of it died: it ended all sessions and restarts by itself. Which one, and how.
    Crashed(String),
    /// Somebody told it to shut down; its words.
    ShutDown(String),
    /// It has ended; how, if that is known.
    Ended(Option<String>),
    /// Nobody can connect to it any more, since this socket is gone.
    SocketGone(PathBuf),
    /// Its data folder is gone.
    DataGone(PathBuf),
}

impl Mishap {
    /// Whether the server goes on by itself.
    pub fn restarts(&self) -> bool {
        matches!(self.what, What::Crashed(_))
    }

    /// Whether it has ended, though nobody told it to, and can be started again.
    pub fn has_ended(&self) -> bool {
        matches!(self.what, What::Ended(_))
    }

    /// What helps.
    pub fn hint(&self) -> String {
        let log = self.log.display();
        match &self.what {
            What::Crashed(how) | What::Ended(Some(how)) if how.contains("signal 9") => {
                format!("the system kills processes if memory runs out (see `dmesg`); the server's log is {log}")
            }
            _ => format!("the server's log is {log}"),
        }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Crashed(how) => write!(f, "the server crashed: {how}"),
            What::ShutDown(words) => write!(f, "somebody stopped the server: {words}"),
            What::Ended(Some(how)) => write!(f, "the server ended: {how}"),
            What::Ended(None) => f.write_str("the server ended"),
            What::SocketGone(path) => write!(f, "the server's socket was removed: {}", path.display()),
            What::DataGone(path) => write!(f, "the server's data folder was removed: {}", path.display()),
        }
    }
}

/// Whether a log ends in the recovery from a crash. A server that is told to shut down fast then may hang for ever.
pub(super) fn is_recovering(log: &str) -> bool {
    let crash = log.rfind(CRASHES);
    crash.is_some_and(|crash| BEGINS.iter().all(|begin| !log[crash..].contains(begin)))
}

/// What lines of a log tell of a mishap.
pub(super) fn told(lines: &str) -> Option<What> {
    if let Some((before, _)) = lines.split_once(CRASHES) {
        let died = before.lines().rev().find_map(died);
        return Some(What::Crashed(died.unwrap_or_else(|| "a process of it died".to_owned())));
    }
    let words = |line: &str| line.split_once("LOG:  ").map(|(_, words)| words.trim().to_owned());
    let request = lines.lines().find(|line| line.contains("LOG:  received") && line.contains("shutdown request"));
    let by_itself = lines.lines().find(|line| line.contains("LOG:  performing immediate shutdown"));
    request.or(by_itself).and_then(words).map(What::ShutDown)
}

/// `a backend (pid 12) was killed by signal 9`, of the line that the postmaster writes.
fn died(line: &str) -> Option<String> {
    let (_, words) = line.split_once("LOG:  ")?;
    let (process, rest) = words.split_once(" (PID ")?;
    let (pid, how) = rest.split_once(')')?;
    let process = if process == "server process" { "backend" } else { process.trim_end_matches(" process") };
    let how = match how.trim().strip_prefix("was terminated by ") {
        // `signal 9: Killed`.
        Some(signal) => format!("was killed by {}", signal.split(':').next().unwrap_or(signal)),
        None => how.trim().to_owned(),
    };
    Some(format!("a {process} (pid {pid}) {how}"))
}

/// How a postmaster ended.
pub(super) fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("its postmaster was killed by signal {signal}"),
        (None, Some(code)) => format!("its postmaster exited with code {code}"),
        (None, None) => format!("its postmaster: {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRASH: &str = "2026-01-01 UTC [1] LOG:  server process (PID 27612) was terminated by signal 9: Killed
2026-01-01 UTC [1] DETAIL:  Failed process was running: SELECT 1
2026-01-01 UTC [1] LOG:  terminating any other active server processes
2026-01-01 UTC [1] LOG:  all server processes terminated; reinitializing
";

    #[test]
    fn the_postmaster_tells_who_died() {
        assert_eq!(told(CRASH), Some(What::Crashed("a backend (pid 27612) was killed by signal 9".to_owned())));
        let other = CRASH.replace("server process (PID", "background writer process (PID");
        assert_eq!(told(&other), Some(What::Crashed("a background writer (pid 27612) was killed by signal 9".into())));
        let exited = CRASH.replace("was terminated by signal 9: Killed", "exited with exit code 2");
        assert_eq!(told(&exited), Some(What::Crashed("a backend (pid 27612) exited with exit code 2".to_owned())));
        // A parallel worker may exit without harm.
        assert_eq!(told("x LOG:  background worker \"parallel worker\" (PID 3) exited with exit code 1\n"), None);
        let asked = "x LOG:  received fast shutdown request\nx LOG:  aborting any active transactions\n";
        assert_eq!(told(asked), Some(What::ShutDown("received fast shutdown request".to_owned())));
        assert_eq!(told("x LOG:  checkpoint starting: time\n"), None);
    }

    #[test]
    fn a_recovery_lasts_until_connections_are_taken() {
        let ready = "2026-01-01 UTC [1] LOG:  database system is ready to accept connections\n";
        let start = "2026-01-01 UTC [1] LOG:  starting PostgreSQL 15.18\n";
        assert!(!is_recovering("") && !is_recovering(ready));
        assert!(is_recovering(&format!("{ready}{CRASH}")));
        assert!(!is_recovering(&format!("{CRASH}{ready}")) && !is_recovering(&format!("{CRASH}{start}")));
        assert!(is_recovering(&format!("{CRASH}{ready}{CRASH}")));
    }
}
