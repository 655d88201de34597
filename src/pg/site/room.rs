//! Whether the server has room for a load's connections.

use crate::{
    pg::link::{
        Client,
        error::{Error, Result},
    },
    scenario::{Connections, Sharing},
    text::{self, Field},
};

/// Connections of a server, as one role may use them.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// `max_connections`.
    most: i64,
    /// Of these, kept for roles with more rights.
    reserved: i64,
    /// In use; the one that asks counts, because a load is watched from one more.
    in_use: i64,
}

/// Makes sure that a load of `clients` clients can have its connections.
///
/// # Errors
/// The server has no room for so many, besides those that are in use; or it cannot be asked.
pub async fn check_room(client: &Client, connections: &Connections, clients: u32) -> Result<()> {
    // What may not be seen of others' sessions is null; background processes have no user.
    let row = client
        .query_one(
            "SELECT current_setting('max_connections')::bigint,
                    current_setting('superuser_reserved_connections')::bigint,
                    coalesce(current_setting('reserved_connections', true), '0')::bigint,
                    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
                    EXISTS (SELECT FROM pg_roles
                            WHERE rolname = 'pg_use_reserved_connections' AND pg_has_role(current_user, oid, 'USAGE')),
                    (SELECT count(*) FROM pg_stat_activity
                     WHERE coalesce(backend_type, 'client backend') = 'client backend' AND usesysid IS NOT NULL)",
            &[],
        )
        .await
        .map_err(|cause| Error::from_server("cannot ask how many connections there may be", cause))?;
    let (of_superusers, of_some): (i64, i64) = (row.get(1), row.get(2));
    let reserved = match (row.get::<_, Option<bool>>(3), row.get(4)) {
        (Some(true), _) => 0,
        (_, true) => of_superusers,
        (_, false) => of_superusers + of_some,
    };
    Room { most: row.get(0), reserved, in_use: row.get(5) }.check(connections.sharing, clients)
}

impl Room {
    fn check(self, sharing: Sharing, clients: u32) -> Result<()> {
        let Self { most, reserved, in_use } = self;
        let (needed, whose, fewer) = match sharing {
            Sharing::Pool(pool) => (pool.size, format!("a pool of {} needs", pool.size), "a smaller `pool`"),
            _ if clients == 1 => (1, "a client needs".to_owned(), "a server with room"),
            _ => (clients, format!("{clients} clients need"), "fewer `clients`, a `pool`"),
        };
        let free = (most - reserved - in_use).max(0);
        if i64::from(needed) <= free {
            return Ok(());
        }
        Err(Error::usage(format!(
            "{whose} {}, and the server has {free} free: of its max_connections, {most}, {reserved} are \
             reserved for other roles and {in_use} in use",
            text::counted(needed, "connection")
        ))
        .with_hint(format!("use {fewer}, or raise max_connections"))
        .about(&[Field::Clients, Field::Pool]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Pool, Recycling};

    #[test]
    fn room_is_what_is_neither_reserved_nor_in_use() {
        let room = Room { most: 20, reserved: 3, in_use: 5 };
        let pool = |size| Sharing::Pool(Pool { size, wait_timeout: None, recycling: Recycling::Fast });
        assert!(room.check(Sharing::Client, 12).is_ok());
        assert!(room.check(pool(12), 1000).is_ok());
        let told = |sharing, clients| {
            let error = room.check(sharing, clients).unwrap_err();
            assert!(error.is_usage());
            format!("{error}; {}", error.hint().unwrap())
        };
        insta::assert_snapshot!(told(Sharing::Operation, 13), @"13 clients need 13 connections, and the server has 12 free: of its max_connections, 20, 3 are reserved for other roles and 5 in use; use fewer `clients`, a `pool`, or raise max_connections");
        insta::assert_snapshot!(told(pool(100), 13), @"a pool of 100 needs 100 connections, and the server has 12 free: of its max_connections, 20, 3 are reserved for other roles and 5 in use; use a smaller `pool`, or raise max_connections");
        assert!(Room { most: 2, reserved: 3, in_use: 0 }.check(Sharing::Client, 1).is_err());
    }
}
