//! Whether a pooler stands in front of the server that gives sessions another backend for each transaction.
//!
//! Behind such a one settings, prepared statements and locks of a session belong to a backend that serves other clients next: they get lost,
//! and stay for those. So this is found out before anything is set.
//!
//! A server names the backend of a session when it signs in; a pooler, which has none yet, makes up a number. Where the two agree there is
//! no pooler, whatever else is in between: a tunnel or a proxy passes the number on. Where they differ, two sessions are asked in turns
//! which backend serves them. Two that are connected at the same time never have the same one, and none ever has another one, where
//! a session keeps its own.

use std::time::Duration;

use tokio::{select, time::timeout};
use tokio_postgres::SimpleQueryMessage;

use super::{
    Client,
    connector::Connector,
    error::{Error, Result},
};

/// How often both sessions are asked. A pool that nobody else uses shows itself at once, a busy one soon.
const TURNS: u32 = 10;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the second session may wait for a backend. Where sessions keep theirs, the pool may have no more.
const SECOND: Duration = Duration::from_secs(5);

/// The backend and its server: several servers may have processes of one number.
const BACKEND: &str = "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_postmaster_start_time()";

/// How a pooler gives backends to sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// A backend of its own to each, if there is a pooler at all.
    EachItsOwn,
    /// Now this backend, then that one.
    NowThisNowThat,
    /// None to a second session, while a first one has one.
    OneOnly,
}

/// What is between latclinic and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing, or what passes everything on.
    Straight,
    /// A pooler that gives each session a backend of its own, as long as it has any.
    Pooler,
}

/// Makes sure that a session keeps its backend, and that a second one gets one too. Leaves nothing behind.
///
/// # Errors
/// It does not, or there is none for a second one, or the server cannot be reached.
pub(crate) async fn refuse_sharing(connector: &Connector) -> Result<Way> {
    let socket = connector.open_socket_unchecked().await?;
    let (first, connection) = connector.sign_in_for_probe(socket).await?;
    let mut connection = Box::pin(connection);
    let mut probing = Box::pin(async {
        // A part of connecting, as for the time that it may take.
        let backend = connector.in_time(backend(&first)).await??;
        match first.backend() {
            Some(told) if !backend.starts_with(&format!("{told} ")) => {
                gives(connector, &first, &backend).await.map(|gives| (Way::Pooler, gives))
            }
            _ => Ok((Way::Straight, Gives::EachItsOwn)),
        }
    });
    let (way, gives) = select! {
        gives = &mut probing => gives?,
        // What is under way fails now, and says why.
        _ = &mut connection => {
            drop(connection);
            let closed = || Error::new(format!("cannot connect to {}: the server closed the connection", connector.place()));
            return Err(match timeout(PATIENCE, probing).await {
                Ok(Err(error)) => error,
                _ => closed(),
            });
        }
    };
    drop(probing);
    drop(first);
    // Says goodbye.
    let _ = timeout(PATIENCE, connection).await;
    match gives {
        Gives::EachItsOwn => Ok(way),
        Gives::OneOnly => Err(no_room(connector, "gives no second session", SECOND.as_secs())),
        Gives::NowThisNowThat => Err(shares(connector)),
    }
}

/// The pooler has no backend for a session.
pub(crate) fn no_room(connector: &Connector, gives: &str, seconds: u64) -> Error {
    Error::usage(format!(
        "cannot work on {}: the pooler in between {gives} within {seconds} s, and every command needs several (PgBouncer: \
         default_pool_size)",
        connector.place(),
    ))
    .with_hint(
        "give the pool room for the clients of the load and four sessions more (PgBouncer: default_pool_size), or use \
         the server's own address",
    )
}

fn shares(connector: &Connector) -> Error {
    Error::usage(format!(
        "cannot work on {}: a pooler (such as PgBouncer) in transaction or statement mode is in between, which gives a session \
         another backend for each transaction; nothing was set or run",
        connector.place()
    ))
    .with_hint("use the server's own address, or a pool in session mode (PgBouncer: pool_mode=session)")
}

/// Asks two sessions in turns which backend serves them.
async fn gives(connector: &Connector, first: &Client, at_first: &str) -> Result<Gives> {
    let opened = async { connector.sign_in_for_probe(connector.open_socket_unchecked().await?).await };
    // Without room for a second session the first one is asked alone.
    let Ok((second, connection)) = opened.await else { return changes(first, at_first).await };
    let turns = async {
        for turn in 0..TURNS {
            let patience = if turn == 0 { SECOND } else { PATIENCE };
            let other = match timeout(patience, backend(&second)).await {
                Ok(Ok(other)) => other,
                Err(_) if turn == 0 => {
                    return Ok(match changes(first, at_first).await? {
                        Gives::EachItsOwn => Gives::OneOnly,
                        gives => gives,
                    });
                }
                _ => break,
            };
            if other == at_first || backend(first).await? != at_first {
                return Ok(Gives::NowThisNowThat);
            }
        }
        changes(first, at_first).await
    };
    select! {
        gives = turns => gives,
        _ = connection => changes(first, at_first).await,
    }
}

/// Whether a session gets another backend than at first.
async fn changes(session: &Client, at_first: &str) -> Result<Gives> {
    for _ in 0..TURNS {
        if backend(session).await? != at_first {
            return Ok(Gives::NowThisNowThat);
        }
    }
    Ok(Gives::EachItsOwn)
}

async fn backend(client: &Client) -> Result<String> {
    let failed = |cause| Error::from_server("cannot ask which backend serves a session", cause);
    let messages = client.simple_query(BACKEND).await.map_err(failed)?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let value = |index| row.and_then(|row| row.get(index)).unwrap_or_default();
    Ok(format!("{} {}", value(0), value(1)))
}
