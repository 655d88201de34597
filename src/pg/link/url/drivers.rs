//! What drivers, ORMs and poolers add to a connection string, and what it is called here.
//!
//! Only names of this list are ever shown: any other may be a part of a password.

/// What becomes of an option.
#[derive(Debug, Clone, Copy)]
enum Here {
    /// It bears on the driver only.
    Nothing,
    /// It has another name.
    Is(&'static str),
    /// A setting of the session.
    Setting(&'static str),
}

use Here::{Is, Nothing, Setting};

/// Options that PostgreSQL does not know, in lower case, with whose they are.
const OPTIONS: [(&str, &str, Here); 69] = [
    ("schema", "Prisma's", Setting("search_path")),
    ("connection_limit", "Prisma's", Nothing),
    ("pool_timeout", "Prisma's", Nothing),
    ("pgbouncer", "Prisma's", Nothing),
    ("socket_timeout", "Prisma's", Is("tcp_user_timeout")),
    ("statement_cache_size", "Prisma's or asyncpg's", Nothing),
    ("sslaccept", "Prisma's", Is("sslmode")),
    ("sslidentity", "Prisma's", Is("sslcert and sslkey")),
    ("single_use_connections", "Prisma's", Nothing),
    ("ssl", "a driver's", Is("sslmode")),
    ("uselibpqcompat", "node-postgres's", Nothing),
    ("statement_timeout", "a driver's", Setting("statement_timeout")),
    ("lock_timeout", "a driver's", Setting("lock_timeout")),
    ("query_timeout", "node-postgres's", Nothing),
    ("idle_in_transaction_session_timeout", "a driver's", Setting("idle_in_transaction_session_timeout")),
    ("max", "node-postgres's", Nothing),
    ("min", "node-postgres's", Nothing),
    ("idletimeoutmillis", "node-postgres's", Nothing),
    ("connectiontimeoutmillis", "node-postgres's", Is("connect_timeout")),
    ("workaround", "Supabase's", Nothing),
    ("supa", "Supabase's", Nothing),
    ("currentschema", "JDBC's", Setting("search_path")),
    ("preparethreshold", "JDBC's", Nothing),
    ("preparedstatementcachequeries", "JDBC's", Nothing),
    ("applicationname", "JDBC's", Is("application_name")),
    ("logintimeout", "JDBC's", Is("connect_timeout")),
    ("connecttimeout", "JDBC's", Is("connect_timeout")),
    ("sockettimeout", "JDBC's", Is("tcp_user_timeout")),
    ("tcpkeepalive", "JDBC's", Is("keepalives")),
    ("rewritebatchedinserts", "JDBC's", Nothing),
    ("stringtype", "JDBC's", Nothing),
    ("sslfactory", "JDBC's", Nothing),
    ("targetservertype", "JDBC's", Is("target_session_attrs")),
    ("loadbalancehosts", "JDBC's", Nothing),
    ("defaultrowfetchsize", "JDBC's", Nothing),
    ("preferquerymode", "JDBC's", Nothing),
    ("binarytransfer", "JDBC's", Nothing),
    ("readonly", "JDBC's", Setting("default_transaction_read_only")),
    ("async_fallback", "SQLAlchemy's", Nothing),
    ("prepared_statement_cache_size", "SQLAlchemy's", Nothing),
    ("prepared_statement_name_func", "SQLAlchemy's", Nothing),
    ("pool_size", "SQLAlchemy's or Ecto's", Nothing),
    ("max_overflow", "SQLAlchemy's", Nothing),
    ("pool_pre_ping", "SQLAlchemy's", Nothing),
    ("pool_recycle", "SQLAlchemy's", Nothing),
    ("command_timeout", "asyncpg's", Nothing),
    ("min_size", "asyncpg's", Nothing),
    ("max_size", "asyncpg's", Nothing),
    ("timeout", "a driver's", Is("connect_timeout")),
    ("conn_max_age", "Django's", Nothing),
    ("conn_health_checks", "Django's", Nothing),
    ("ssl_require", "Django's", Is("sslmode")),
    ("pool", "Rails'", Nothing),
    ("encoding", "Rails'", Is("client_encoding")),
    ("prepared_statements", "Rails'", Nothing),
    ("advisory_locks", "Rails'", Nothing),
    ("checkout_timeout", "Rails'", Nothing),
    ("schema_search_path", "Rails'", Setting("search_path")),
    ("charset", "Doctrine's", Is("client_encoding")),
    ("serverversion", "Doctrine's", Nothing),
    ("pool_max_conns", "pgx's", Nothing),
    ("pool_min_conns", "pgx's", Nothing),
    ("pool_max_conn_lifetime", "pgx's", Nothing),
    ("pool_max_conn_idle_time", "pgx's", Nothing),
    ("pool_health_check_period", "pgx's", Nothing),
    ("default_query_exec_mode", "pgx's", Nothing),
    ("statement_cache_capacity", "pgx's", Nothing),
    ("binary_parameters", "lib/pq's", Nothing),
    ("search_path", "a driver's", Setting("search_path")),
];

/// What to say of an option that PostgreSQL does not know: its name with whose it is, and the way out.
pub(crate) fn of_driver(key: &str) -> Option<(String, String)> {
    let (name, whose, here) = OPTIONS.iter().find(|(name, ..)| key.eq_ignore_ascii_case(name))?;
    let hint = match here {
        Nothing => format!("leave `{name}` out: it bears on the driver only"),
        Is(other) => format!("leave `{name}` out, or write `{other}`, as PostgreSQL calls it"),
        Setting(setting) => format!("leave `{name}` out, or write options=-c%20{setting}%3D.. with its value"),
    };
    Some((format!("`{name}`, which is {whose}"), hint))
}

/// What stands before the `//` of a URL elsewhere, and what to write here.
pub(crate) fn of_scheme(scheme: &str) -> Option<&'static str> {
    let scheme = scheme.to_ascii_lowercase();
    if scheme.starts_with("jdbc:") {
        return Some(
            "leave out `jdbc:` and write postgresql://user@host:5432/database; of what follows the ?, user and password are taken",
        );
    }
    if scheme.starts_with("postgresql+") || scheme.starts_with("postgres+") {
        return Some("leave out the driver's name behind the +: postgresql://user@host:5432/database");
    }
    [
        "pgsql",
        "pg",
        "postgis",
        "psql",
        "ecto",
        "asyncpg",
        "cockroachdb",
        "timescale",
        "timescaledb",
        "prisma+postgres",
        "postgresql2",
    ]
    .contains(&scheme.as_str())
    .then_some("write postgresql:// in its place: postgresql://user@host:5432/database")
}

/// What to say of a string that is another system's as a whole.
pub(crate) fn of_string(string: &str) -> Option<&'static str> {
    let begins = |sign: &str| string.get(..sign.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(sign));
    if begins("jdbc:") {
        return of_scheme("jdbc:");
    }
    let has_semicolons = string.contains(';') && string.contains('=');
    (has_semicolons
        && ["host=", "server=", "pgsql:", "user id=", "username=", "database=", "driver="].into_iter().any(begins))
    .then_some(
        "write the pairs with spaces between them, not semicolons: host=.. port=5432 dbname=.. user=.. password=..",
    )
}

#[cfg(test)]
mod tests {
    use crate::pg::link::connector::Connector;

    #[test]
    fn what_drivers_add_is_named_with_the_way_out() {
        let urls = [
            (
                "postgresql://me:hunter2@db/shop?schema=public&connection_limit=5",
                "`schema`, which is Prisma's",
                "options=-c%20search_path",
            ),
            (
                "postgresql://me:hunter2@db/shop?connection_limit=5",
                "`connection_limit`",
                "leave `connection_limit` out",
            ),
            ("postgresql://me:hunter2@db/shop?pgbouncer=true", "`pgbouncer`", "leave `pgbouncer` out"),
            ("postgresql://me:hunter2@db/shop?pool_timeout=3", "`pool_timeout`", "leave `pool_timeout` out"),
            ("postgresql://me:hunter2@db/shop?sslaccept=strict", "`sslaccept`", "write `sslmode`"),
            ("postgresql://me:hunter2@db/shop?sslmode=no-verify", "sslmode=no-verify", "use sslmode=prefer"),
            ("postgresql+psycopg2://me:hunter2@db/shop", "postgresql+psycopg2", "leave out the driver's name"),
            ("postgresql+asyncpg://me:hunter2@db/shop", "postgresql+asyncpg", "leave out the driver's name"),
            (
                "jdbc:postgresql://db/shop?user=me&password=hunter2&currentSchema=a",
                "jdbc:postgresql",
                "leave out `jdbc:`",
            ),
            ("jdbc:postgresql:shop?user=me&password=hunter2", "another system's", "leave out `jdbc:`"),
            ("postgres://me:hunter2@db/shop?currentSchema=app", "`currentschema`, which is JDBC's", "search_path"),
            ("postgres://me:hunter2@db/shop?prepareThreshold=0", "`preparethreshold`", "leave `preparethreshold` out"),
            ("postgres://me:hunter2@db/shop?pool_max_conns=10", "`pool_max_conns`, which is pgx's", "leave"),
            ("postgres://me:hunter2@db/shop?pool=5", "`pool`, which is Rails'", "leave"),
            ("postgres://me:hunter2@db/shop?conn_max_age=600", "`conn_max_age`, which is Django's", "leave"),
            ("postgres://me:hunter2@db/shop?statement_timeout=100", "`statement_timeout`", "statement_timeout%3D"),
            ("postgres://me:hunter2@db/shop?ssl=false", "`ssl`", "write `sslmode`"),
            ("pgsql://me:hunter2@db/shop", "pgsql", "write postgresql:// in its place"),
            ("pgsql:host=db;dbname=shop;user=me;password=hunter2", "another system's", "not semicolons"),
            ("Host=db;Username=me;Password=hunter2;Database=shop", "another system's", "not semicolons"),
            ("postgres://me@db/shop?hunter2=1", "an option that PostgreSQL does not know", ""),
        ];
        for (url, message, hint) in urls {
            let error = Connector::from_url(url, &|_| None).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert!(error.to_string().contains(message), "{url}: {error}");
            assert!(error.hint().unwrap_or_default().contains(hint), "{url}: {:?}", error.hint());
        }
    }
}
