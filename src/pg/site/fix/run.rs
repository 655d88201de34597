//! Runs a fix's statements, one at a time, and leaves a state that the ledger names.

use std::{
    fmt::Write,
    future::Future,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    Direction, FixState, WayBack,
    fingerprint::Fingerprint,
    indexes,
    ledger::{Begins, Entry, Ledger},
    look,
};
use crate::{
    pg::{
        link::{
            Client, Limit, Scope, Theirs, Timeout,
            error::{Error, Result},
            user_session::UserSession,
        },
        site::{
            catalog::{check_writable, qualified},
            schema::{self, command},
            seed_session::stoppable,
        },
    },
    scenario::{Scenario, SqlText},
    text::Field,
};

/// What a run tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A statement begins.
    Statement {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// Its text.
        text: String,
    },
    /// It ended, after this time.
    Ended(Duration),
    /// A fact worth a line of its own.
    Note(String),
}

/// Applies the scenario's fix. Returns whether there was anything to do: `false` where it is applied already.
///
/// `session` should be one of its own, of the scenario's schema: its timeouts are changed.
///
/// # Errors
/// The fix stands so that it cannot be applied, a statement failed, or `stop` was given; the hint says what was left
/// behind and which command leads out.
pub async fn apply(
    session: &UserSession,
    scenario: &Scenario,
    stop: &CancellationToken,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<bool> {
    let own = session.own().await?;
    let run = Run { session, own, scenario, stop, tell, ledger: Ledger::new(own, scenario) };
    run.alone(run.apply()).await
}

/// Takes the fix back by the statements that the ledger kept when it was applied. Returns whether there was anything to
/// do: `false` where it is absent.
///
/// # Errors
/// As [`apply`].
pub async fn revert(
    session: &UserSession,
    scenario: &Scenario,
    way_back: WayBack,
    stop: &CancellationToken,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<bool> {
    let own = session.own().await?;
    let run = Run { session, own, scenario, stop, tell, ledger: Ledger::new(own, scenario) };
    run.alone(run.revert(way_back)).await
}

/// A statement and where a person finds it.
struct Placed {
    place: String,
    text: String,
}

fn from_file(sql: &SqlText) -> Vec<Placed> {
    sql.statements
        .iter()
        .map(|statement| Placed { place: format!("{}:{}", sql.source, statement.line), text: statement.text.clone() })
        .collect()
}

fn from_ledger(entry: &Entry, file: &SqlText) -> Vec<Placed> {
    let in_file = from_file(file);
    if in_file.iter().map(|statement| &statement.text).eq(&entry.down) {
        return in_file;
    }
    let place = |number| format!("the ledger's revert statement {number}");
    entry.down.iter().zip(1..).map(|(text, number)| Placed { place: place(number), text: text.clone() }).collect()
}

struct Run<'a> {
    /// Runs the fix's statements.
    session: &'a UserSession,
    /// Asks latclinic's own questions.
    own: &'a Client,
    scenario: &'a Scenario,
    stop: &'a CancellationToken,
    tell: &'a (dyn Fn(Progress) + Sync),
    ledger: Ledger<'a>,
}

impl Run<'_> {
    async fn apply(&self) -> Result<bool> {
        let (state, last) = self.prepare().await?;
        let refused = |hint: String| Err(Error::new(format!("cannot apply the fix: {state}")).with_hint(hint));
        let revert = command("revert-fix", self.scenario);
        let (mut entry, resumed) = match (&state, last) {
            (FixState::Applied, _) => return Ok(false),
            (FixState::Changed | FixState::Half { direction: Direction::Up, changed: true, .. }, _) => {
                return refused(format!("take back what was applied first: `{revert}`"));
            }
            (FixState::Half { direction: Direction::Down, .. }, _) => {
                return refused(format!("finish that first: `{revert}`"));
            }
            (FixState::Damaged(_), _) => return refused(format!("take it back and apply it anew: `{revert}`")),
            (FixState::Unrecorded(names), _) => return refused(self.drop_by_hand(names)),
            (FixState::Half { done, statements, .. }, Some(entry)) => {
                check_writable(self.own).await?;
                self.note(format!("the last apply did not finish: going on after {done} of {statements} statements"));
                (entry, true)
            }
            (FixState::Absent | FixState::Half { .. }, _) => {
                check_writable(self.own).await?;
                let catalog = Fingerprint::take(self.own, &self.scenario.schema_name()).await?;
                (self.ledger.begin(self.scenario, Begins::Up(catalog)).await?, false)
            }
        };
        let statements = from_file(&self.scenario.fix.up);
        self.go(&mut entry, &statements, resumed).await?;
        self.check_applied().await?;
        self.ledger.finish(&mut entry).await?;
        Ok(true)
    }

    async fn revert(&self, way_back: WayBack) -> Result<bool> {
        let (state, last) = self.prepare().await?;
        if way_back == WayBack::OfFile
            && let Some(entry) = last.as_ref().filter(|_| !matches!(state, FixState::Absent | FixState::Unrecorded(_)))
            && !entry.goes_back_as(self.scenario)
        {
            return Err(self.other_way_back(entry));
        }
        let (mut entry, incomplete) = match (&state, last) {
            (FixState::Unrecorded(names), _) => {
                return Err(Error::new(format!("cannot revert the fix: {state}")).with_hint(self.drop_by_hand(names)));
            }
            (FixState::Absent, _) | (_, None) => return Ok(false),
            (FixState::Half { direction: Direction::Down, done, statements, .. }, Some(entry)) => {
                check_writable(self.own).await?;
                self.note(format!("the last revert did not finish: going on after {done} of {statements} statements"));
                (entry, true)
            }
            (state, Some(applied)) => {
                check_writable(self.own).await?;
                let incomplete = matches!(state, FixState::Half { .. } | FixState::Damaged(_));
                (self.ledger.begin(self.scenario, Begins::Down(&applied)).await?, incomplete)
            }
        };
        let statements = from_ledger(&entry, &self.scenario.fix.down);
        self.go(&mut entry, &statements, incomplete).await?;
        self.check_reverted(&entry).await?;
        self.ledger.finish(&mut entry).await?;
        Ok(true)
    }

    /// Does `work` while no other session applies or reverts this fix.
    async fn alone<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        schema::check(self.own, self.scenario).await?;
        self.lock().await?;
        let outcome = work.await;
        if !outcome.as_ref().is_err_and(Error::is_stopped) {
            // Given back at once, since the server may notice the end of the session late.
            let unlock =
                "SELECT pg_catalog.pg_advisory_unlock(pg_catalog.hashtext('latclinic fix'), pg_catalog.hashtext($1))";
            let _ = self.session.ask(unlock, &[&self.scenario.schema_name()]).await;
        }
        outcome
    }

    /// Sets the timeouts, clears away what interrupted builds left, and looks where the fix stands.
    async fn prepare(&self) -> Result<(FixState, Option<Entry>)> {
        // Work that may take hours, as long as the role may.
        let limits = [(Timeout::Lock, Some(self.scenario.fix.lock_timeout)), (Timeout::Statement, None)];
        let settings =
            |theirs: Theirs| format!("{}SET client_min_messages = warning", theirs.set(Scope::Session, &limits));
        let failed = |cause| Error::from_server("cannot set the timeouts of the session", cause);
        self.session.run(&settings(self.session.theirs())).await.map_err(failed)?;
        self.own.batch_execute(&settings(self.own.theirs())).await.map_err(failed)?;
        for index in indexes::drop_half_built(self.session, self.scenario).await? {
            self.note(format!("dropped index {index}: an earlier build of it did not finish"));
        }
        let last = self.ledger.last().await?;
        Ok((look(self.own, self.scenario, last.as_ref()).await?, last))
    }

    /// One run at a time. The lock is only tried for: a session that waits for one holds up CREATE INDEX CONCURRENTLY. It is held by
    /// the session that runs the statements, and so until they end, even if this process does not.
    async fn lock(&self) -> Result<()> {
        let name = self.scenario.schema_name();
        let failed = |cause| Error::from_server(format!("cannot lock the fix of {name}"), cause);
        let taken =
            "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('latclinic fix'), pg_catalog.hashtext($1))";
        let taken = self.session.ask(taken, &[&name]).await.map_err(failed)?;
        if taken.iter().any(|row| row.get(0)) {
            return Ok(());
        }
        let holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
             AND classid = (hashtext('latclinic fix')::bigint & 4294967295)::oid \
             AND objid = (hashtext($1)::bigint & 4294967295)::oid";
        let holder = self.own.query_opt(holder, &[&name]).await.map_err(failed)?.map(|row| row.get::<_, i32>(0));
        let error = Error::new(format!("another session is applying or reverting the fix of {name}"));
        Err(match holder {
            Some(pid) => {
                error.with_hint(format!("wait for it; if it is abandoned, end it: SELECT pg_terminate_backend({pid})"))
            }
            None => error.with_hint("wait for it, then try again"),
        })
    }

    /// Runs the statements that are not done. After a run that is `incomplete`, the first of them may have been done
    /// without getting to say so, and what is not there need not be taken back.
    async fn go(&self, entry: &mut Entry, statements: &[Placed], incomplete: bool) -> Result<()> {
        let first = entry.done;
        while let Some(statement) = statements.get(entry.done) {
            let number = entry.done + 1;
            (self.tell)(Progress::Statement { number, of: statements.len(), text: statement.text.clone() });
            if self.stop.is_cancelled() {
                return Err(self.fail(entry, Error::new(format!("interrupted before {}", statement.place))).await);
            }
            let mut done = false;
            let sent = Instant::now();
            let work = async {
                let _limit = self.session.limited(Limit::Work);
                let ran = self.session.run(&statement.text).await;
                ran.map_err(|cause| {
                    let cancelled = cause.code().is_some_and(|code| code.code() == "57014");
                    let what = if cancelled && self.stop.is_cancelled() { "interrupted" } else { "failed" };
                    let doing = format!("{}: statement {number} of {} {what}", statement.place, statements.len());
                    Error::from_sql(doing, cause)
                })?;
                done = true;
                (self.tell)(Progress::Ended(sent.elapsed()));
                Ok(())
            };
            match stoppable(self.session, self.stop, work).await {
                Err(error) if !done => {
                    let first_of_up = entry.done == first && entry.direction == Direction::Up;
                    if incomplete && first_of_up && is_there(&error) {
                        self.note(format!("{}: it is there already", statement.place));
                    } else if incomplete && entry.direction == Direction::Down && is_missing(&error) {
                        self.note(format!("{}: there is nothing to take back", statement.place));
                    } else {
                        return Err(self.fail(entry, error).await);
                    }
                }
                // Told to stop too late for this statement; the next turn sees it.
                _ => {}
            }
            self.ledger.advance(entry).await?;
        }
        Ok(())
    }

    /// Clears away what a failed statement left, and says in the error's hint where the fix stands now and what to do.
    async fn fail(&self, entry: &Entry, error: Error) -> Error {
        let mut hint = error.time_limit().map_or_else(String::new, |hint| format!("{hint}; "));
        let is_gone = error.is_stopped() || error.is_disconnect();
        if !is_gone {
            // The server says that a statement failed before it has cleaned up after it; then it answers again.
            let _ = self.session.run("").await;
        }
        if error.sqlstate() == Some("55P03") {
            let ours = self.scenario.fix.lock_timeout;
            let (waited, whose) = match self.session.theirs().stricter(Timeout::Lock, ours) {
                Some(theirs) => (theirs, "role"),
                None => (ours, "fix"),
            };
            let _ = write!(
                hint,
                "a lock was not free within {waited:?} (lock_timeout of the {whose}){}; ",
                self.holders().await
            );
        }
        if entry.direction == Direction::Up && is_there(&error) {
            hint.push_str("the ledger has no record of an applied fix, so it was created by hand; drop it by hand; ");
        }
        let again = match entry.direction {
            Direction::Up => command("apply-fix", self.scenario),
            Direction::Down => command("revert-fix", self.scenario),
        };
        let back = command("revert-fix", self.scenario);
        let anew = self.anew();
        // A session whose statement still runs would keep every further one waiting; of one that is gone nobody knows whether it does.
        let cleared = if is_gone { Err(Error::stopped()) } else { self.clear(entry).await };
        let _ = match cleared {
            Err(why) => {
                let why = match why.is_disconnect() || why.is_stopped() {
                    true => "the connection is gone".to_owned(),
                    false => why.to_string(),
                };
                let other = match entry.direction {
                    Direction::Up => format!("`{back}` reverts it"),
                    Direction::Down => format!("or {anew}"),
                };
                write!(
                    hint,
                    "cleaning up failed ({why}); the ledger has {} of {} statements done: `{again}` cleans up and \
                     continues, {other}",
                    entry.done, entry.statements
                )
            }
            Ok((dropped, left)) => {
                if !dropped.is_empty() {
                    let _ = write!(hint, "the half-built index {} was dropped; ", dropped.join(", "));
                }
                match (left, entry.direction) {
                    (false, Direction::Up) => write!(hint, "nothing of the fix is left; `{again}` tries again"),
                    (false, Direction::Down) => {
                        write!(hint, "the fix is still applied; `{again}` tries again, {anew}")
                    }
                    (true, Direction::Up) => write!(
                        hint,
                        "{} of {} statements are done; `{again}` continues, `{back}` reverts it",
                        entry.done, entry.statements
                    ),
                    (true, Direction::Down) => {
                        let (done, statements) = (entry.done, entry.statements);
                        write!(
                            hint,
                            "the fix is half reverted: {done} of {statements} statements; `{again}` continues, {anew}"
                        )
                    }
                }
            }
        };
        error.with_hint(hint)
    }

    /// Drops half-built indexes, and the ledger's row where the run left no trace. Returns what was dropped, and whether
    /// the fix is now halfway.
    async fn clear(&self, entry: &Entry) -> Result<(Vec<String>, bool)> {
        let dropped = indexes::drop_half_built(self.session, self.scenario).await?;
        // A DROP INDEX CONCURRENTLY that was stopped leaves an index that no query uses: that is a part taken back.
        let halfway = entry.done > 0 || (entry.direction == Direction::Down && !dropped.is_empty());
        if !halfway {
            self.ledger.forget(entry).await?;
        }
        Ok((dropped, halfway))
    }

    /// Whose transactions are oldest: they are most likely in the way.
    async fn holders(&self) -> String {
        let query = "SELECT format('pid %s %s %s s', pid, coalesce(nullif(application_name, ''), usename, ''), \
             extract(epoch FROM now() - xact_start)::int) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL \
             ORDER BY xact_start LIMIT 3";
        match self.own.query(query, &[]).await {
            Ok(rows) if !rows.is_empty() => {
                let holders: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
                format!("; the oldest open transactions are {}", holders.join(", "))
            }
            _ => String::new(),
        }
    }

    async fn check_applied(&self) -> Result<()> {
        let there = indexes::all(self.own, self.scenario).await?;
        let mut wrong: Vec<String> =
            there.iter().filter(|index| !index.usable).map(|index| index.name.clone()).collect();
        let created = indexes::created_by(&self.scenario.fix.up);
        wrong.extend(created.into_iter().filter(|name| there.iter().all(|index| index.name != *name)));
        if wrong.is_empty() {
            return Ok(());
        }
        let what = crate::pg::site::fix::list(&wrong);
        Err(Error::new(format!("{}: all statements ran, but {what} missing or not valid", self.scenario.fix.up.source))
            .with_hint(format!("run `{}`, then correct the file", command("revert-fix", self.scenario))))
    }

    /// The schema has to look as it did before the fix was applied.
    async fn check_reverted(&self, entry: &Entry) -> Result<()> {
        let differences = match &entry.catalog {
            Some(was) => was.differences(&Fingerprint::take(self.own, &self.scenario.schema_name()).await?),
            None => self.left_indexes().await?,
        };
        let Some(differences) = differences else { return Ok(()) };
        let down = &self.scenario.fix.down.source;
        Err(Error::new(format!(
            "{down}: all statements ran, but the schema is not as it was before the fix: {differences}"
        ))
        .with_hint(format!(
            "the fix is half reverted; correct that by hand, then `{}`, or {}; and correct {down}",
            command("revert-fix", self.scenario),
            self.anew()
        )))
    }

    /// What is in a table of the database is run only if a person has agreed to it, or has it in a file.
    fn other_way_back(&self, entry: &Entry) -> Error {
        let down = &self.scenario.fix.down.source;
        let what = match entry.is_intact() {
            true => format!("the revert statements in the ledger are not those of {down}"),
            false => format!(
                "the revert statements in the ledger are not those of {down}, nor those that were recorded when the fix was applied; they were \
                 changed"
            ),
        };
        Error::usage(format!("nothing was reverted: {what}")).with_hint(format!(
            "read the statements that `{}` lists; {} runs them; otherwise restore the file with which the fix was applied, \
             or {}",
            command("revert-fix", self.scenario),
            Field::RecordedWayBack,
            self.anew()
        ))
        .about(&[Field::RecordedWayBack])
    }

    /// The way out that always leads out.
    fn anew(&self) -> String {
        format!("`{} --reseed` makes everything again from scratch", command("seed", self.scenario))
    }

    /// The fix's indexes that are still there: all that is known of a fix that an earlier build applied.
    async fn left_indexes(&self) -> Result<Option<String>> {
        let there = indexes::all(self.own, self.scenario).await?;
        let mut left = indexes::created_by(&self.scenario.fix.up);
        left.retain(|name| there.iter().any(|index| index.name == *name));
        Ok((!left.is_empty()).then(|| format!("{} still there", crate::pg::site::fix::list(&left))))
    }

    fn drop_by_hand(&self, names: &[String]) -> String {
        format!("it was created by hand; drop it by hand: {}", self.drop_statement(names))
    }

    fn drop_statement(&self, names: &[String]) -> String {
        let names: Vec<_> = names.iter().map(|name| qualified(&self.scenario.schema_name(), name)).collect();
        format!("DROP INDEX {}", names.join(", "))
    }

    fn note(&self, words: String) {
        (self.tell)(Progress::Note(words));
    }
}

/// Duplicate table or index, column, object, function, schema.
fn is_there(error: &Error) -> bool {
    matches!(error.sqlstate(), Some("42P07" | "42701" | "42710" | "42723" | "42P06"))
}

/// Undefined table or index, column, object, function, schema.
fn is_missing(error: &Error) -> bool {
    matches!(error.sqlstate(), Some("42P01" | "42703" | "42704" | "42883" | "3F000"))
}
