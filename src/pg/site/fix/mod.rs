//! Applies a scenario's fix, takes it back, and knows which of the two was done last.
//!
//! Statements run one at a time, each on its own, because `CREATE INDEX CONCURRENTLY` cannot run inside a transaction. So
//! a fix may end halfway; the ledger tells how far it came, and each state has a command that leads out of it.

pub(crate) mod fingerprint;
pub(crate) mod indexes;
pub(crate) mod ledger;
pub(crate) mod run;
pub(crate) mod tables;
pub(crate) mod watch;

use std::fmt;

use sha2::{Digest, Sha256};

use crate::scenario::{Scenario, SqlText};

use super::schema;
use crate::pg::link::{Client, error::Result};
pub(crate) use ledger::TABLE as LEDGER;
use ledger::{Entry, Ledger};

pub use run::{Progress, apply, revert};
pub use tables::tables;
pub use watch::{Watch, backend};

/// Which way a fix goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It is applied.
    Up,
    /// It is taken back.
    Down,
}

impl Direction {
    /// `up` or `down`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Which way back may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WayBack {
    /// The one that the ledger kept, as long as it is that of the scenario's file.
    #[default]
    OfFile,
    /// The one that the ledger kept, whatever it is: a person has agreed to that.
    Recorded,
}

/// Where a scenario's fix stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixState {
    /// Nothing of it is there.
    Absent,
    /// It is there, as the scenario's files have it.
    Applied,
    /// It is there, but its files are no longer those that were applied.
    Changed,
    /// A run of it did not finish.
    Half {
        /// Whether it was being applied or taken back.
        direction: Direction,
        /// Statements that were done.
        done: usize,
        /// Statements there were.
        statements: usize,
        /// Whether its files are no longer those of that run.
        changed: bool,
    },
    /// The ledger says that it is applied, but these indexes of it are missing or not valid.
    Damaged(Vec<String>),
    /// The ledger says that it is absent, but these indexes of it are there.
    Unrecorded(Vec<String>),
}

impl fmt::Display for FixState {
    /// A clause: `the fix is applied`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("the fix is absent"),
            Self::Applied => f.write_str("the fix is applied"),
            Self::Changed => f.write_str("the fix is applied, but its files have changed since"),
            Self::Half { direction: Direction::Down, done, statements, .. } if done == statements => f.write_str(
                "the fix is half reverted: all its statements ran, but the schema is not as it was before the fix",
            ),
            Self::Half { direction, done, statements, .. } => {
                let what = match direction {
                    Direction::Up => "applied",
                    Direction::Down => "reverted",
                };
                write!(f, "the fix is half {what}: {done} of {statements} statements")
            }
            Self::Damaged(indexes) => {
                write!(f, "the fix is applied, but {} missing or not valid", list(indexes))
            }
            Self::Unrecorded(indexes) => {
                write!(f, "{} there, but the ledger has no record of the fix being applied", list(indexes))
            }
        }
    }
}

/// `index a is` or `indexes a, b are`.
fn list(indexes: &[String]) -> String {
    match indexes {
        [index] => format!("index {index} is"),
        indexes => format!("indexes {} are", indexes.join(", ")),
    }
}

/// Where the scenario's fix stands on the server of `client`.
///
/// # Errors
/// The schema is missing or not latclinic's, or the server could not tell.
pub async fn state(client: &Client, scenario: &Scenario) -> Result<FixState> {
    schema::check(client, scenario).await?;
    let last = Ledger::new(client, scenario).last().await?;
    look(client, scenario, last.as_ref()).await
}

/// The statements that would be run to go in `direction`, in order: the scenario's for up, the recorded ones for down.
///
/// # Errors
/// As [`state`].
pub async fn statements(client: &Client, scenario: &Scenario, direction: Direction) -> Result<Vec<String>> {
    schema::check(client, scenario).await?;
    let texts = |sql: &SqlText| sql.statements.iter().map(|statement| statement.text.clone()).collect::<Vec<_>>();
    let last = Ledger::new(client, scenario).last().await?;
    Ok(match (direction, last) {
        (Direction::Up, Some(Entry { direction: Direction::Up, finished: false, done, .. })) => {
            texts(&scenario.fix.up).split_off(done.min(scenario.fix.up.statements.len()))
        }
        (Direction::Up, _) => texts(&scenario.fix.up),
        (Direction::Down, Some(Entry { direction: Direction::Down, finished: false, done, mut down, .. })) => {
            down.split_off(done.min(down.len()))
        }
        (Direction::Down, Some(Entry { direction: Direction::Up, down, .. })) => down,
        (Direction::Down, _) => texts(&scenario.fix.down),
    })
}

/// Judges the ledger's last row by the indexes that are there.
async fn look(client: &Client, scenario: &Scenario, last: Option<&Entry>) -> Result<FixState> {
    let applied = match last {
        Some(entry) if !entry.finished => {
            return Ok(FixState::Half {
                direction: entry.direction,
                done: entry.done,
                statements: entry.statements,
                changed: entry.differs_from(scenario),
            });
        }
        Some(entry) if entry.direction == Direction::Up => Some(entry),
        _ => None,
    };
    if applied.is_some_and(|entry| entry.differs_from(scenario)) {
        return Ok(FixState::Changed);
    }
    let there = indexes::all(client, scenario).await?;
    let find = |name: &String| there.iter().find(|index| index.name == *name);
    let mut created = indexes::created_by(&scenario.fix.up);
    Ok(if applied.is_some() {
        created.retain(|name| find(name).is_none_or(|index| !index.usable));
        if created.is_empty() { FixState::Applied } else { FixState::Damaged(created) }
    } else {
        created.retain(|name| find(name).is_some());
        if created.is_empty() { FixState::Absent } else { FixState::Unrecorded(created) }
    })
}

/// SHA-256 of the statements of a text, in hexadecimal. Comments and space between statements do not count.
pub fn sha256(sql: &SqlText) -> String {
    sha256_of(sql.statements.iter().map(|statement| &statement.text))
}

fn sha256_of<'s>(statements: impl IntoIterator<Item = &'s String>) -> String {
    let mut hash = Sha256::new();
    for statement in statements {
        hash.update(statement);
        hash.update(";\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
