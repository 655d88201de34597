//! Applies and takes back a scenario's fix, and makes sure that a phase is measured with the fix as it should be.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Clinic, Error, ErrorKind, Event};
pub use crate::pg::fix::{Direction, FixState, WayBack};
use crate::{
    pg::{
        self, Connector, UserSession,
        fix::{self, Progress},
    },
    record::{Applied, FixInfo, Phase, RewriteInfo},
    scenario::{Rewrite, Scenario},
};

/// How long the server may take to say where the fix stands after a failure.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What applying or reverting would run, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixPlan {
    /// Host, port and database.
    pub place: String,
    /// Whether the server is latclinic's own. On any other one nothing should be run before a person has agreed.
    pub managed: bool,
    /// Where the fix stands now.
    pub state: FixState,
    /// The statements in order; none where there is nothing to do.
    pub statements: Vec<String>,
    /// `lock_timeout` of each.
    pub lock_timeout: Duration,
}

/// What applying or reverting did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixOutcome {
    /// All statements ran, and what they made was checked.
    Done {
        /// How long it took.
        duration: Duration,
        /// Those that were run, in order, each with the time that the server took for it; nothing where it was done already.
        statements: Vec<(String, Duration)>,
    },
    /// The fix stood so already.
    Nothing,
    /// It is a rewrite alone: the phase after sends other statements, and the database stays as it is.
    Rewrite,
}

/// Says what [`apply_fix`] (up) or [`revert_fix`] (down) would run. Changes nothing.
///
/// # Errors
/// The server cannot be reached, or the scenario is not seeded there.
pub async fn plan_fix(clinic: &Clinic, scenario: &Scenario, direction: Direction) -> Result<FixPlan, Error> {
    let connector = clinic.connector();
    let client = connector.connect(verb(direction)).await?;
    let state = fix::state(&client, scenario).await?;
    let statements = match (&state, direction) {
        (FixState::Applied, Direction::Up) | (FixState::Absent, Direction::Down) => Vec::new(),
        _ => fix::statements(&client, scenario, direction).await?,
    };
    let lock_timeout = scenario.fix.lock_timeout;
    Ok(FixPlan { place: connector.place(), managed: connector.is_managed(), state, statements, lock_timeout })
}

/// Applies the fix, statement by statement, and checks what it made. Where it is already applied, does nothing.
///
/// # Errors
/// The fix stands so that it cannot be applied, a statement failed, or `stop` was given. The message names the file, the
/// line and the server's words; the hint what was left behind and the command that leads out.
pub async fn apply_fix(clinic: &Clinic, scenario: &Scenario) -> Result<FixOutcome, Error> {
    run(clinic, scenario, Direction::Up, WayBack::OfFile, false).await.map(|(outcome, _)| outcome)
}

/// Takes the fix back by the statements that were recorded when it was applied. Where it is absent, does nothing.
///
/// # Errors
/// As [`apply_fix`]; or the recorded statements are not those of the scenario, on a server that is not latclinic's own, and `way_back` is
/// [`WayBack::OfFile`].
pub async fn revert_fix(clinic: &Clinic, scenario: &Scenario, way_back: WayBack) -> Result<FixOutcome, Error> {
    run(clinic, scenario, Direction::Down, way_back, false).await.map(|(outcome, _)| outcome)
}

/// [`apply_fix`], with what it cost, watched from outside while it was applied; `None` where nothing was applied.
///
/// # Errors
/// As [`apply_fix`]. That something could not be watched is none: it is noted.
pub async fn apply_fix_watched(clinic: &Clinic, scenario: &Scenario) -> Result<(FixOutcome, Option<Applied>), Error> {
    run(clinic, scenario, Direction::Up, WayBack::OfFile, true).await
}

async fn run(
    clinic: &Clinic,
    scenario: &Scenario,
    direction: Direction,
    way_back: WayBack,
    watched: bool,
) -> Result<(FixOutcome, Option<Applied>), Error> {
    if !scenario.fix.changes_database() {
        return Ok((FixOutcome::Rewrite, None));
    }
    let (connector, events, stop) = (clinic.connector(), clinic.events(), clinic.stop());
    let session = UserSession::in_schema(connector, verb(direction), &scenario.schema_name()).await?;
    let watch = match watched {
        true => Some(fix::Watch::connect(connector, scenario, fix::backend(&session).await?).await),
        false => None,
    };
    let ran = Mutex::new(Vec::new());
    let ran_so_far = || ran.lock().unwrap_or_else(PoisonError::into_inner);
    let tell = |progress| match progress {
        Progress::Statement { number, of, text } => {
            events.event(Event::Step(format!("fix {} {number}/{of}: {}", direction.as_str(), one_line(&text))));
            ran_so_far().push((text, Duration::ZERO));
            if let Some(watch) = &watch {
                watch.begin();
            }
        }
        Progress::Ended(time) => {
            if let Some((_, of_last)) = ran_so_far().last_mut() {
                *of_last = time;
            }
        }
        Progress::Note(words) => events.event(Event::Note(words)),
    };
    let started = Instant::now();
    let outcome = match direction {
        Direction::Up => fix::apply(&session, scenario, stop, &tell).await,
        // Nobody but the user of latclinic's own server can change its ledgers.
        Direction::Down if connector.is_managed() => {
            fix::revert(&session, scenario, WayBack::Recorded, stop, &tell).await
        }
        Direction::Down => fix::revert(&session, scenario, way_back, stop, &tell).await,
    };
    let duration = started.elapsed();
    // Its locks go with the session, whatever it left behind.
    drop(session);
    let statements = ran.into_inner().unwrap_or_else(PoisonError::into_inner);
    let applied = match watch {
        Some(watch) => Some(watch.end(statements.iter().map(|(_, time)| *time).sum()).await),
        None => None,
    };
    match outcome {
        Ok(true) => Ok((FixOutcome::Done { duration, statements }, applied)),
        Ok(false) => Ok((FixOutcome::Nothing, None)),
        Err(error) => Err(Error::from(error).interrupted_if(stop.is_cancelled())),
    }
}

/// Makes sure that the fix is as `phase` wants it: absent before, applied after.
///
/// # Errors
/// It is not, and the hint names the command that makes it so; or the server could not tell.
pub async fn require_fix(clinic: &Clinic, scenario: &Scenario, phase: Phase) -> Result<(), Error> {
    if !scenario.fix.changes_database() {
        return Ok(());
    }
    let connector = clinic.connector();
    let client = connector.connect("check").await?;
    let state = fix::state(&client, scenario).await?;
    let (apply, revert) = (command(connector, scenario, Direction::Up), command(connector, scenario, Direction::Down));
    let hint = match (phase, &state) {
        (Phase::Before, FixState::Absent) | (Phase::After, FixState::Applied) => return Ok(()),
        (_, FixState::Unrecorded(_)) => {
            format!("it was created by hand in schema {}; drop it by hand", scenario.schema_name())
        }
        (Phase::Before, _) => format!("run `{revert}` first"),
        (Phase::After, FixState::Absent) => format!("run `{apply}` first"),
        (Phase::After, FixState::Half { direction: Direction::Up, changed: false, .. }) => {
            format!("run `{apply}` first; it continues where it stopped")
        }
        (Phase::After, _) => format!("run `{revert}`, then `{apply}`"),
    };
    Err(Error::new(ErrorKind::Usage, format!("cannot measure phase {phase} of {}: {state}", scenario.id))
        .with_hint(hint))
}

/// Makes sure that a fix which changes the database can be applied at all.
///
/// # Errors
/// The server is a standby, the role's transactions are read-only, or the server cannot be asked.
pub(super) async fn require_writable(clinic: &Clinic, scenario: &Scenario) -> Result<(), Error> {
    if !scenario.fix.changes_database() {
        return Ok(());
    }
    let client = clinic.connector().connect("check").await?;
    pg::check_writable(&client).await.map_err(|error| {
        let refused = Error::new(ErrorKind::Failed, format!("cannot apply the fix of {}: {error}", scenario.id));
        error.hint().map(str::to_owned).into_iter().fold(refused, Error::with_hint)
    })
}

/// Where the fix stands, also after a stop; `None` if the server does not tell at once.
pub(super) async fn state_now(clinic: &Clinic, scenario: &Scenario) -> Option<FixState> {
    let ask = async {
        let client = clinic.connector().until(CancellationToken::new()).connect("check").await?;
        fix::state(&client, scenario).await
    };
    timeout(AT_ONCE, ask).await.ok()?.ok()
}

/// How the fix is left, and how to take it back; `None` if that is not known.
pub(super) fn way_back(clinic: &Clinic, scenario: &Scenario, state: Option<&FixState>) -> String {
    let command = |direction| command(clinic.connector(), scenario, direction);
    let (apply, revert) = (command(Direction::Up), command(Direction::Down));
    match state {
        None => {
            format!("the server did not answer whether the fix is applied; if it is, `{revert}` reverts it")
        }
        Some(state @ (FixState::Absent | FixState::Unrecorded(_))) => state.to_string(),
        Some(state @ (FixState::Applied | FixState::Changed | FixState::Damaged(_))) => {
            format!("{state}; `{revert}` reverts it")
        }
        Some(state @ FixState::Half { direction: Direction::Up, .. }) => {
            format!("{state}; `{revert}` reverts it, `{apply}` continues")
        }
        Some(state @ FixState::Half { direction: Direction::Down, .. }) => format!("{state}; `{revert}` continues"),
    }
}

/// The scenario as a phase sends it.
pub(super) fn in_phase(scenario: &Scenario, phase: Phase) -> Cow<'_, Scenario> {
    match phase {
        Phase::After if !scenario.fix.rewrites.is_empty() => Cow::Owned(scenario.rewritten()),
        Phase::Before | Phase::After => Cow::Borrowed(scenario),
    }
}

/// What a record says about the fix.
pub(super) fn info(scenario: &Scenario) -> FixInfo {
    let fix = &scenario.fix;
    let rewrite = |rewrite: &Rewrite| RewriteInfo {
        statement: scenario.statements[rewrite.statement].name.clone(),
        sha256: fix::sha256(&rewrite.sql),
    };
    FixInfo {
        title: fix.title.clone(),
        up_sha256: fix::sha256(&fix.up),
        down_sha256: fix::sha256(&fix.down),
        rewrites: fix.rewrites.iter().map(rewrite).collect(),
    }
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "apply-fix",
        Direction::Down => "revert-fix",
    }
}

fn command(connector: &Connector, scenario: &Scenario, direction: Direction) -> String {
    let yes = if connector.is_managed() { "" } else { " --yes" };
    format!("{}{yes}", pg::command(verb(direction), scenario))
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
