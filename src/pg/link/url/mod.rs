//! A connection string, with what `PG*` variables fill in, to a [`Connector`].
//!
//! `PGHOST`, `PGHOSTADDR` and `PGSERVICE` are not read: the target is only ever what the caller named.

pub(crate) mod drivers;
pub(crate) mod parse;
pub(crate) mod passfile;

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use tokio_postgres::{Config, config::TargetSessionAttrs};

use super::{
    Keepalive,
    connector::{CONNECT_TIMEOUT, Connector},
};
use passfile::Found;

/// Why a connection string cannot be used. Never holds the string or a part of it that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlError {
    message: String,
    hint: Option<String>,
}

impl UrlError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UrlError {}

/// Options that bear on a connection, and the variable that fills each in.
const READ: [(&str, Option<&str>); 18] = [
    ("host", None),
    ("hostaddr", None),
    ("port", Some("PGPORT")),
    ("user", Some("PGUSER")),
    ("password", Some("PGPASSWORD")),
    ("passfile", Some("PGPASSFILE")),
    ("dbname", Some("PGDATABASE")),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT")),
    ("options", Some("PGOPTIONS")),
    ("sslmode", Some("PGSSLMODE")),
    ("gssencmode", Some("PGGSSENCMODE")),
    ("channel_binding", Some("PGCHANNELBINDING")),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS")),
    ("keepalives", None),
    ("keepalives_idle", None),
    ("keepalives_interval", None),
    ("keepalives_count", None),
    ("tcp_user_timeout", None),
];

/// Options without meaning on a plain connection of ours: accepted, so that a string that serves elsewhere serves here.
const WITHOUT_MEANING: [&str; 20] = [
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "load_balance_hosts",
    "sslcompression",
    "sslcert",
    "sslkey",
    "sslpassword",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "min_protocol_version",
    "max_protocol_version",
    "krbsrvname",
    "krbspn",
    "gsslib",
    "gssdelegation",
];

/// Options that ask for what is not done here; passing over them would be a promise broken in silence.
const REFUSED: [&str; 7] =
    ["service", "servicefile", "requirepeer", "require_auth", "replication", "sslnegotiation", "sslcertmode"];

const PLAIN_ONLY: &str = "only plain connections are built so far: use sslmode=prefer or sslmode=disable on a network you trust, a \
     Unix socket, or a tunnel (ssh -L)";

impl Connector {
    /// A target named by a `postgres://` or `postgresql://` URL or by `key=value` pairs, both as libpq reads them.
    ///
    /// `env` looks up environment variables. `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE`,
    /// `PGCONNECT_TIMEOUT`, `PGOPTIONS` and `PGPASSFILE` (or `~/.pgpass`) fill in what the string leaves out; the user's
    /// default is the one this process runs as, the database's is the user. No variable ever selects the host.
    ///
    /// # Errors
    /// The string is malformed, names no host or several, or asks for what is not built, such as TLS.
    pub fn from_url(url: &str, env: &impl Fn(&str) -> Option<String>) -> Result<Self, UrlError> {
        let mut options = known(parse::pairs(url)?)?;
        for (key, variable) in READ {
            if let Some(value) = variable.and_then(env).filter(|value| !value.is_empty()) {
                options.entry(key).or_insert(value);
            }
        }
        refuse_encryption(&options)?;
        let get = |key| options.get(key).map(String::as_str).filter(|value| !value.is_empty());

        let mut config = Config::new();
        let host = host(&mut config, get("host"), get("hostaddr"))?;
        let port = match get("port") {
            None => 5432,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| wants("port", "1 to 65535"))?,
        };
        let user = match get("user") {
            Some(user) => user.to_owned(),
            None => current_user().ok_or_else(|| UrlError::new("the database URL names no user"))?,
        };
        let database = get("dbname").unwrap_or(&user);
        config.port(port).user(&user).dbname(database);

        let mut unread = None;
        if let Some(password) = get("password") {
            config.password(password);
        } else if let Some(file) =
            get("passfile").map(PathBuf::from).or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".pgpass")))
        {
            match passfile::look_up(&file, host, port, database, &user) {
                Found::Password(password) => drop(config.password(password)),
                Found::Nothing => {}
                Found::Unread(why) => unread = Some(why),
            }
        }
        if let Some(options) = get("options") {
            config.options(options);
        }
        let timeout = match get("connect_timeout").map(|seconds| seconds.trim().parse::<i32>()) {
            None => Some(CONNECT_TIMEOUT),
            Some(Ok(seconds)) if seconds <= 0 => None,
            // libpq's least is 2 s as well.
            Some(Ok(seconds)) => Some(Duration::from_secs(u64::from(seconds.unsigned_abs().max(2)))),
            Some(Err(_)) => return Err(wants("connect_timeout", "whole seconds, 0 for no limit")),
        };
        target(&mut config, &get)?;
        Ok(Self::new(config, timeout, unread, keepalive(&get)?))
    }
}

/// The options that bear on a connection; a later one replaces an earlier one of its name.
fn known(pairs: Vec<parse::Pair>) -> Result<BTreeMap<&'static str, String>, UrlError> {
    let mut options = BTreeMap::new();
    for (key, value) in pairs {
        if let Some((key, _)) = READ.iter().find(|(known, _)| *known == key) {
            options.insert(*key, value);
        } else if let Some(key) = REFUSED.iter().find(|known| **known == key) {
            return Err(UrlError::new(format!("the database URL has `{key}`, which latclinic does not support"))
                .with_hint("name the host, port, database and user in the URL itself"));
        } else if !WITHOUT_MEANING.contains(&key.as_str()) {
            if let Some((name, hint)) = drivers::of_driver(&key) {
                return Err(
                    UrlError::new(format!("the database URL has {name}, no option of PostgreSQL")).with_hint(hint)
                );
            }
            // The name itself is not shown: in a string cut at the wrong place it may be a part of the password.
            let nearest = READ
                .iter()
                .map(|(known, _)| (strsim::jaro_winkler(known, &key), *known))
                .filter(|(likeness, _)| *likeness > 0.8)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let error = UrlError::new("the database URL has an option that PostgreSQL does not know");
            return Err(match nearest {
                Some((_, nearest)) => error.with_hint(format!("did you mean `{nearest}`?")),
                None => error,
            });
        }
    }
    Ok(options)
}

fn refuse_encryption(options: &BTreeMap<&str, String>) -> Result<(), UrlError> {
    let get = |key| options.get(key).map_or("", String::as_str);
    match get("sslmode") {
        "" | "disable" | "allow" | "prefer" => {}
        mode @ ("require" | "verify-ca" | "verify-full") => {
            return Err(UrlError::new(format!("sslmode={mode} needs TLS")).with_hint(PLAIN_ONLY));
        }
        // The name itself may be anything.
        "no-verify" => {
            return Err(
                UrlError::new("sslmode=no-verify is node-postgres's, no mode of PostgreSQL").with_hint(PLAIN_ONLY)
            );
        }
        _ => return Err(wants("sslmode", "disable, allow or prefer")),
    }
    for key in ["gssencmode", "channel_binding"] {
        if get(key) == "require" {
            return Err(UrlError::new(format!("{key}=require needs an encrypted connection")).with_hint(PLAIN_ONLY));
        }
    }
    Ok(())
}

/// Sets the host and returns it as the password file names it.
fn host<'a>(config: &mut Config, host: Option<&'a str>, hostaddr: Option<&'a str>) -> Result<&'a str, UrlError> {
    let Some(name) = host.or(hostaddr) else {
        return Err(UrlError::new("the database URL names no host").with_hint(
            "write it, such as postgres://user@db.example/shop or postgres:///shop?host=/run/postgresql; PGHOST does not \
             choose the target, so that no database is touched by accident",
        ));
    };
    if name.contains(',') {
        return Err(UrlError::new("the database URL names several hosts")
            .with_hint("name one: a measurement has to know which server it measures"));
    }
    config.host(name);
    if let Some(address) = hostaddr {
        config.hostaddr(address.parse().map_err(|_| wants("hostaddr", "an IP address"))?);
    }
    Ok(name)
}

/// How a network that is gone is noticed; 0 leaves a figure to the system, as for libpq.
fn keepalive<'a>(get: &impl Fn(&'static str) -> Option<&'a str>) -> Result<Keepalive, UrlError> {
    let number = |key| match get(key).map(str::parse::<u32>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(wants(key, "a whole number")),
    };
    let default = Keepalive::default();
    let figure = |key, default, unit: fn(u64) -> Duration| {
        Ok(match number(key)? {
            None => default,
            Some(number) => (number > 0).then(|| unit(number.into())),
        })
    };
    Ok(Keepalive {
        on: number("keepalives")? != Some(0),
        idle: figure("keepalives_idle", default.idle, Duration::from_secs)?,
        interval: figure("keepalives_interval", default.interval, Duration::from_secs)?,
        count: match number("keepalives_count")? {
            None => default.count,
            Some(count) => Some(count).filter(|count| *count > 0),
        },
        user_timeout: figure("tcp_user_timeout", default.user_timeout, Duration::from_millis)?,
    })
}

fn target<'a>(config: &mut Config, get: &impl Fn(&'static str) -> Option<&'a str>) -> Result<(), UrlError> {
    match get("target_session_attrs") {
        None | Some("any") => {}
        Some("read-write") => drop(config.target_session_attrs(TargetSessionAttrs::ReadWrite)),
        Some("read-only") => drop(config.target_session_attrs(TargetSessionAttrs::ReadOnly)),
        Some(_) => return Err(wants("target_session_attrs", "any, read-write or read-only")),
    }
    Ok(())
}

fn wants(key: &str, expected: &str) -> UrlError {
    UrlError::new(format!("the database URL's {key} is not {expected}"))
}

/// Name of the user this process runs as.
fn current_user() -> Option<String> {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name)
}
