//! Time limits that the server keeps: those that a role, database, URL or server has of its own, and those that latclinic adds.
//!
//! The stricter of the two holds: what a DBA has set for a role is never lifted without a word. [`Theirs`] is read when a session
//! is opened. Whatever sets a time limit goes through [`Theirs::set`], and an error of the server's that one of theirs brought
//! about names it.

use std::{fmt, fmt::Write, time::Duration};

use tokio_postgres::SimpleQueryMessage;

/// A time limit that the server keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timeout {
    /// `statement_timeout`.
    Statement,
    /// `lock_timeout`.
    Lock,
    /// `idle_in_transaction_session_timeout`.
    IdleInTransaction,
    /// `transaction_timeout`, from PostgreSQL 17 on.
    Transaction,
}

const ALL: [Timeout; 4] = [Timeout::Statement, Timeout::Lock, Timeout::IdleInTransaction, Timeout::Transaction];

/// For how long a limit is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Until the session ends.
    Session,
    /// Until the transaction ends.
    Transaction,
}

/// What a role, database, URL or server sets for a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Theirs {
    timeouts: Vec<(Timeout, Duration)>,
    /// Whether the role, the database or the URL sets `maintenance_work_mem`.
    maintenance_work_mem: bool,
    /// Whether one of them sets `synchronous_commit`, to something that waits for a disk.
    synchronous_commit: bool,
}

/// A time limit of theirs that ended something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndedBy {
    timeout: Timeout,
    after: Duration,
}

/// Asks for what [`Theirs::read`] reads. It also runs in sessions whose names resolve in the user's path.
pub(crate) const QUESTION: &str = "SELECT s.name, s.setting, s.source FROM pg_catalog.pg_settings AS s
    WHERE s.name OPERATOR(pg_catalog.=) 'statement_timeout' OR s.name OPERATOR(pg_catalog.=) 'lock_timeout'
    OR s.name OPERATOR(pg_catalog.=) 'idle_in_transaction_session_timeout'
    OR s.name OPERATOR(pg_catalog.=) 'transaction_timeout' OR s.name OPERATOR(pg_catalog.=) 'maintenance_work_mem'
    OR s.name OPERATOR(pg_catalog.=) 'synchronous_commit'";

impl Timeout {
    /// As the server's setting is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Statement => "statement_timeout",
            Self::Lock => "lock_timeout",
            Self::IdleInTransaction => "idle_in_transaction_session_timeout",
            Self::Transaction => "transaction_timeout",
        }
    }

    /// SQLSTATE of the server's error when it has passed.
    fn sqlstate(self) -> &'static str {
        match self {
            Self::Statement => "57014",
            Self::Lock => "55P03",
            Self::IdleInTransaction => "25P03",
            Self::Transaction => "25P04",
        }
    }
}

impl Theirs {
    /// Reads the answer to [`QUESTION`].
    pub(crate) fn read(messages: &[SimpleQueryMessage]) -> Self {
        let mut theirs = Self::default();
        for message in messages {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let [Some(name), Some(setting), Some(source)] = [row.get(0), row.get(1), row.get(2)] else { continue };
            theirs.add(name, setting, source);
        }
        theirs
    }

    fn add(&mut self, name: &str, setting: &str, source: &str) {
        let Some(timeout) = ALL.into_iter().find(|timeout| timeout.name() == name) else {
            let is_theirs = matches!(source, "database" | "user" | "database user" | "client");
            match name {
                "synchronous_commit" => self.synchronous_commit = is_theirs && setting != "off",
                _ => self.maintenance_work_mem = is_theirs,
            }
            return;
        };
        // In milliseconds; 0 is none.
        let limit = setting.parse().ok().filter(|ms| *ms > 0).map(|ms| (timeout, Duration::from_millis(ms)));
        self.timeouts.extend(limit);
    }

    /// Whether the role, the database or the URL sets `maintenance_work_mem`.
    pub(crate) fn sets_maintenance_work_mem(&self) -> bool {
        self.maintenance_work_mem
    }

    /// Whether the role, the database or the URL sets `synchronous_commit`, to something that waits for a disk.
    pub(crate) fn sets_synchronous_commit(&self) -> bool {
        self.synchronous_commit
    }

    /// Their limit, if there is one.
    fn of(&self, timeout: Timeout) -> Option<Duration> {
        self.timeouts.iter().find(|(of, _)| *of == timeout).map(|(_, limit)| *limit)
    }

    /// Their limit, if it is stricter than `ours`.
    pub(crate) fn stricter(&self, timeout: Timeout, ours: Duration) -> Option<Duration> {
        self.of(timeout).filter(|theirs| *theirs < ours)
    }

    /// SQL that sets the stricter of these limits and of theirs; `None` is no limit of ours.
    pub(crate) fn set(&self, scope: Scope, ours: &[(Timeout, Option<Duration>)]) -> String {
        let local = if scope == Scope::Transaction { "LOCAL " } else { "" };
        let mut sql = String::new();
        for &(timeout, ours) in ours {
            let stricter = [ours, self.of(timeout)].into_iter().flatten().min();
            // 0 would be no limit.
            let ms = stricter.map_or(0, |limit| limit.as_millis().max(1));
            let _ = write!(sql, "SET {local}{} = {ms}; ", timeout.name());
        }
        sql
    }

    /// Which limit of theirs brought about an error that came after `elapsed`.
    pub(crate) fn ended(&self, sqlstate: &str, elapsed: Duration) -> Option<EndedBy> {
        let timeout = ALL.into_iter().find(|timeout| timeout.sqlstate() == sqlstate)?;
        let after = self.of(timeout)?;
        // A request to cancel, NOWAIT and a stricter limit of ours have the same SQLSTATE.
        let ends_statement = matches!(timeout, Timeout::Statement | Timeout::Lock);
        (!ends_statement || elapsed >= after).then_some(EndedBy { timeout, after })
    }
}

impl EndedBy {
    /// The way out.
    pub(crate) fn hint(self) -> String {
        let name = self.timeout.name();
        format!(
            "give it more time for this command with options=-c{name}=0 (or a longer time) in the database URL, or for \
             good with ALTER ROLE .. SET {name}"
        )
    }
}

impl fmt::Display for EndedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, after) = (self.timeout.name(), self.after);
        write!(f, "{name} is {after:?}, as the role, the database, the URL or the server sets it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn theirs() -> Theirs {
        let mut theirs = Theirs::default();
        theirs.add("statement_timeout", "150", "user");
        theirs.add("lock_timeout", "0", "default");
        theirs.add("transaction_timeout", "9000", "configuration file");
        theirs.add("maintenance_work_mem", "65536", "configuration file");
        theirs
    }

    #[test]
    fn the_stricter_limit_is_set() {
        let set = |scope, ours: &[_]| theirs().set(scope, ours);
        let ours = [(Timeout::Statement, Some(ms(30_000))), (Timeout::Lock, Some(ms(5000)))];
        assert_eq!(set(Scope::Session, &ours), "SET statement_timeout = 150; SET lock_timeout = 5000; ");
        assert_eq!(
            set(Scope::Transaction, &[(Timeout::Statement, Some(ms(20)))]),
            "SET LOCAL statement_timeout = 20; "
        );
        assert_eq!(set(Scope::Session, &[(Timeout::Statement, None)]), "SET statement_timeout = 150; ");
        assert_eq!(set(Scope::Session, &[(Timeout::Lock, None)]), "SET lock_timeout = 0; ");
        assert_eq!(set(Scope::Session, &[(Timeout::Lock, Some(Duration::ZERO))]), "SET lock_timeout = 1; ");
        assert_eq!(theirs().stricter(Timeout::Statement, ms(200)), Some(ms(150)));
        assert_eq!(theirs().stricter(Timeout::Statement, ms(150)), None);
        assert!(!theirs().sets_maintenance_work_mem());
        let waits = |setting, source| {
            let mut theirs = Theirs::default();
            theirs.add("synchronous_commit", setting, source);
            (theirs.sets_synchronous_commit(), theirs.sets_maintenance_work_mem())
        };
        assert_eq!(waits("remote_apply", "user"), (true, false));
        assert_eq!(waits("off", "database"), (false, false));
        assert_eq!(waits("on", "configuration file"), (false, false));
    }

    #[test]
    fn what_theirs_ended_is_told_from_what_else_has_the_same_code() {
        let ended = |sqlstate, elapsed| theirs().ended(sqlstate, elapsed);
        let by = ended("57014", ms(151)).unwrap();
        assert!(by.to_string().starts_with("statement_timeout is 150ms, as the role"), "{by}");
        assert!(by.hint().contains("options=-cstatement_timeout=0"), "{}", by.hint());
        assert_eq!(ended("57014", ms(20)), None, "cancelled by somebody, or by a limit of ours");
        assert_eq!(ended("55P03", ms(9000)), None, "the limit was ours");
        assert!(ended("25P04", ms(1)).is_some());
        assert_eq!(ended("42P01", ms(9000)), None);
    }
}
