//! Whether the server is at work on what a session waits for, asked on a second connection.
//!
//! A session whose answer may take hours has no time limit. That it is not waited for in vain is known from the server's
//! list of sessions: one that waits for its client, or is not there any more, sends no answer.

use std::{pin::pin, time::Duration};

use tokio::{
    select,
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use super::{GRACE, connector::Connector, error::Result, fault::Loss, heard::Heard};
use crate::sqltext::quote::quote_literal;

/// How long a connection may be silent before the server is asked; doubled each time that it is at work, up to the longest.
const SILENCE: Duration = Duration::from_secs(5);
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// How long a look may take if the user has said how long things may take.
const SHORT_LOOK: Duration = Duration::from_secs(3);

/// How often in a row the server may be unreachable while an answer is waited for.
const UNREACHABLE: u32 = 2;

/// The same for work that may take hours, which the network may be gone in for a while: about a minute.
const WORK_UNREACHABLE: u32 = 6;

/// How long it takes until a request is under way.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// How long asking may take.
const LOOK: Duration = Duration::from_secs(5);

/// How long an answer that the server has sent may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// How long the attempt to end a session may take that nobody waits for any more.
const ENDING: Duration = Duration::from_secs(1);

/// How patiently silence is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Patience {
    /// How long the connection may be silent before the first look.
    silence: Duration,
    /// How long a look may take.
    look: Duration,
    /// How often in a row the server may be unreachable.
    looks: u32,
}

impl Patience {
    /// For an answer that may take hours (`work`), or not; the user may have set a time limit.
    fn new(work: bool, time_limit: Option<Duration>) -> Self {
        let looks = if work { WORK_UNREACHABLE } else { UNREACHABLE };
        let usual = Self { silence: SILENCE, look: LOOK, looks };
        match time_limit.map(|limit| limit.saturating_add(GRACE)) {
            Some(most) if most < (SILENCE + LOOK) * looks => {
                let silence = (most - GRACE).clamp(2 * UNDER_WAY, SILENCE);
                let fit = most.as_secs() / (silence + SHORT_LOOK).as_secs();
                Self { silence, look: SHORT_LOOK, looks: u32::try_from(fit).unwrap_or(looks).clamp(1, looks) }
            }
            _ => usual,
        }
    }
}

/// What the server says of a session.
#[derive(Debug, PartialEq, Eq)]
enum Sign {
    Working,
    /// It waits for its client, or is not there.
    NotWorking,
    /// The server is there, and does not tell.
    Unknown,
    Unreachable(String),
}

/// Which session is meant.
pub(crate) struct Session<'a> {
    pub(crate) connector: &'a Connector,
    pub(crate) purpose: &'a str,
    pub(crate) heard: &'a Heard,
}

impl Session<'_> {
    /// Watches the session, which may be at `work` that takes hours; returns when no answer can be expected any more.
    pub(crate) async fn watch(&self, work: bool) -> Loss {
        let Patience { silence, look, looks } = Patience::new(work, self.connector.time_limit());
        let begin = Instant::now();
        sleep(UNDER_WAY).await;
        let mut bytes = self.heard.bytes();
        let mut pause = silence - UNDER_WAY;
        let mut tries = 0;
        loop {
            sleep(pause).await;
            let now = self.heard.bytes();
            if std::mem::replace(&mut bytes, now) != now {
                (tries, pause) = (0, silence);
                continue;
            }
            match self.look(look).await {
                Sign::Working | Sign::Unknown => (tries, pause) = (0, LONGEST_SILENCE.min(2 * pause)),
                Sign::NotWorking => {
                    sleep(ON_ITS_WAY).await;
                    if self.heard.bytes() == bytes {
                        return Loss::Silent(begin.elapsed());
                    }
                }
                Sign::Unreachable(cause) => {
                    (tries, pause) = (tries + 1, silence);
                    if tries >= looks {
                        return Loss::Unreachable(begin.elapsed(), cause);
                    }
                }
            }
        }
    }

    /// Has the server end the session, if it can be reached: nobody waits for it any more. Where the network has gone silent
    /// those that were opened for the same purpose end with it, for they can say no goodbye either.
    pub(crate) async fn end(&self, loss: &Loss) {
        let own = self.heard.backend().into_iter().collect();
        let backends: Vec<i32> = match loss {
            Loss::Silent(_) => self.connector.give_up(self.purpose, loss),
            _ => own,
        };
        if backends.is_empty() {
            return;
        }
        let backends: Vec<String> = backends.iter().map(ToString::to_string).collect();
        let sql = self.query("SELECT pg_terminate_backend(pid)", &format!("AND pid IN ({})", backends.join(", ")));
        let _ = timeout(ENDING, self.ask(&sql)).await;
    }

    async fn look(&self, patience: Duration) -> Sign {
        let sql = self.query("SELECT pid, state, wait_event_type", "");
        match timeout(patience, self.ask(&sql)).await {
            Err(_) => Sign::Unreachable(format!("no answer within {} s", patience.as_secs())),
            Ok(Ok(sessions)) => sign(&sessions, self.heard.backend()),
            // A server that has restarted knows nothing of the session.
            Ok(Err(error)) if error.sqlstate() == Some("57P03") => Sign::NotWorking,
            Ok(Err(error)) if error.sqlstate().is_some() => Sign::Unknown,
            Ok(Err(error)) => Sign::Unreachable(error.to_string()),
        }
    }

    /// A query about latclinic's sessions of this purpose.
    fn query(&self, select: &str, more: &str) -> String {
        let name = quote_literal(&Connector::application_name(self.purpose));
        format!(
            "SET search_path = pg_catalog, pg_temp; {select} FROM pg_stat_activity \
             WHERE application_name = {name} AND usename = session_user AND backend_type = 'client backend' {more}"
        )
    }

    async fn ask(&self, sql: &str) -> Result<Vec<SimpleQueryRow>> {
        let socket = self.connector.open_socket().await?;
        let (client, connection, _) = self.connector.sign_in("look", socket).await?;
        let mut connection = pin!(connection);
        let messages = select! {
            messages = client.simple_query(sql) => messages,
            // It only ends without the client when it is lost.
            _ = &mut connection => Ok(Vec::new()),
        };
        let messages =
            messages.map_err(|cause| crate::pg::link::error::Error::from_server("cannot list sessions", cause))?;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }
}

/// Reads the list of sessions. A pooler names another process than the one that works: then any of the same purpose counts.
fn sign(sessions: &[SimpleQueryRow], backend: Option<i32>) -> Sign {
    let state = |row: &SimpleQueryRow| match (row.get(1), row.get(2)) {
        (Some("active"), Some("Client")) => Sign::NotWorking,
        (Some("active"), _) => Sign::Working,
        (None | Some("disabled"), _) => Sign::Unknown,
        _ => Sign::NotWorking,
    };
    let backend = backend.map(|backend| backend.to_string());
    match sessions.iter().find(|row| row.get(0) == backend.as_deref()) {
        Some(own) => state(own),
        None if sessions.iter().any(|row| state(row) != Sign::NotWorking) => Sign::Unknown,
        None => Sign::NotWorking,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_lasts_no_longer_than_the_user_has_time() {
        let longest = |work, limit: Option<u64>| {
            let Patience { silence, look, looks } = Patience::new(work, limit.map(Duration::from_secs));
            ((silence + look) * looks).as_secs()
        };
        assert_eq!([longest(false, None), longest(false, Some(30)), longest(true, None)], [20, 20, 60]);
        for limit in 0..60 {
            assert!(longest(false, Some(limit)) <= limit.max(2) + 3, "{limit}");
            assert!(longest(true, Some(limit)) <= limit.max(2) + 3, "{limit}");
        }
    }
}
