//! How a target is named, and what a person reads when it cannot be reached.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod own_server;

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

use latclinic::pg::{Connector, Error};
use own_server::OwnServer;
use rstest::rstest;

fn without_environment(_: &str) -> Option<String> {
    None
}

fn refused(url: &str) -> String {
    let error = Connector::from_url(url, &without_environment).unwrap_err();
    format!("{error}; {}", error.hint().unwrap_or("no hint"))
}

#[rstest]
#[case("postgres://me@db.example:6543/shop", "db.example:6543/shop")]
#[case("postgresql://me@[::1]/shop", "[::1]:5432/shop")]
#[case("postgres://me@db.example", "db.example:5432/me")]
#[case("postgres://me@%2Frun%2Fpg:5433/shop", "/run/pg:5433/shop")]
#[case("postgres:///shop?host=/run/pg&user=me", "/run/pg:5432/shop")]
#[case("host=db.example port=1 dbname='my shop' user=me", "db.example:1/my shop")]
#[case("hostaddr=127.0.0.1 user=me", "127.0.0.1:5432/me")]
#[case("postgres://me@db/shop?sslmode=prefer&sslrootcert=/x&application_name=y", "db:5432/shop")]
fn places(#[case] url: &str, #[case] place: &str) {
    assert_eq!(Connector::from_url(url, &without_environment).unwrap().place(), place);
}

#[rstest]
#[case("postgres://me@/shop", "names no host")]
#[case("dbname=shop user=me", "PGHOST does not choose the target")]
#[case("postgres://me@a,b/shop", "names several hosts")]
#[case("postgres://me@db:x/shop", "port is not 1 to 65535")]
#[case("postgres://me@db:70000/shop", "port is not 1 to 65535")]
#[case("postgres://me@db/shop?sslmode=require", "sslmode=require needs TLS")]
#[case("postgres://me@db/shop?sslmode=verify-full&sslrootcert=/x", "sslmode=verify-full needs TLS")]
#[case("postgres://me@db/shop?ssl=true", "only plain connections")]
#[case("postgres://me@db/shop?sslmode=requier", "sslmode is not disable, allow or prefer")]
#[case("postgres://me@db/shop?channel_binding=require", "needs an encrypted connection")]
#[case("postgres://me@db/shop?ssl_mode=disable", "did you mean `sslmode`?")]
#[case("service=shop", "`service`, which latclinic does not support")]
#[case("postgres://me@db/shop?connect_timeout=soon", "connect_timeout is not whole seconds")]
#[case("mysql://me@db/shop", "`mysql://` is not a PostgreSQL URL")]
#[case("shop", "not a PostgreSQL URL")]
#[case("", "not a PostgreSQL URL")]
fn what_cannot_be_used_is_refused(#[case] url: &str, #[case] words: &str) {
    let error = refused(url);
    assert!(error.contains(words), "{error}");
}

#[test]
fn variables_fill_in_what_the_url_leaves_out_but_never_the_host() {
    let env = |name: &str| {
        let value = match name {
            "PGHOST" | "PGHOSTADDR" => "127.0.0.9",
            "PGPORT" => "7777",
            "PGUSER" => "somebody",
            "PGDATABASE" => "somewhere",
            _ => return None,
        };
        Some(value.to_owned())
    };
    assert!(Connector::from_url("postgres://", &env).unwrap_err().to_string().contains("no host"));
    assert_eq!(Connector::from_url("postgres://db", &env).unwrap().place(), "db:7777/somewhere");
    assert_eq!(Connector::from_url("postgres://me@db:1/shop", &env).unwrap().place(), "db:1/shop");
    let tls = |name: &str| (name == "PGSSLMODE").then(|| "require".to_owned());
    assert!(Connector::from_url("postgres://me@db", &tls).unwrap_err().to_string().contains("needs TLS"));
    assert!(Connector::from_url("postgres://me@db?sslmode=disable", &tls).is_ok());
}

#[test]
fn a_password_is_never_shown() {
    let connector = Connector::from_url("postgres://me:hunter2@db/shop", &without_environment).unwrap();
    assert!(!format!("{connector:?} {}", connector.place()).contains("hunter2"));
}

async fn failure(url: &str, env: &impl Fn(&str) -> Option<String>) -> String {
    let error: Error = Connector::from_url(url, env).unwrap().connect("test").await.unwrap_err();
    let all = format!("{error:?}");
    assert!(!all.contains("wrong-password"), "{all}");
    format!("{error}; {}", error.hint().unwrap_or("no hint"))
}

#[tokio::test]
async fn connections_that_fail_say_where_and_why() {
    let none = without_environment;
    // Bound and dropped, so that nothing listens there.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = failure(&format!("postgres://me@127.0.0.1:{dead}/shop"), &none).await;
    assert!(error.starts_with(&format!("cannot connect to 127.0.0.1:{dead}/shop: nothing listens there")), "{error}");

    let error = failure("postgres://me@no-such-host.invalid/shop", &none).await;
    assert!(error.contains("cannot connect to no-such-host.invalid:5432/shop: no host has that name"), "{error}");

    let error = failure("postgres://me@%2Fnowhere/shop", &none).await;
    assert!(error.contains("no server has a socket at /nowhere/.s.PGSQL.5432"), "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = failure(&format!("postgres://me@127.0.0.1:{port}/shop?connect_timeout=1"), &none).await;
    assert!(error.contains("no answer within 2 s"), "{error}");
}

#[tokio::test]
async fn refusals_of_the_server_say_where_and_why() {
    let server = OwnServer::start();
    let none = without_environment;
    let client = server.connector().connect("test").await.unwrap();
    client
        .batch_execute("CREATE ROLE secret LOGIN PASSWORD 'right'; CREATE ROLE few LOGIN CONNECTION LIMIT 0")
        .await
        .unwrap();
    let (socket, port) = (server.lease.socket_dir().display(), server.lease.port());
    let url = |user: &str, database: &str| format!("host={socket} port={port} dbname={database} user={user}");
    let rules = server.lease.cluster().join("pg_hba.conf");
    let open_to_all = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, format!("local all secret scram-sha-256\n{open_to_all}")).unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let secret = Connector::from_url(&url("secret", "postgres"), &none).unwrap();
    while secret.connect("test").await.is_ok() {
        tokio::task::yield_now().await;
    }

    let error = failure(&url("latclinic", "nowhere"), &none).await;
    assert!(error.contains("database \"nowhere\" does not exist (SQLSTATE 3D000); create it"), "{error}");
    let error = failure(&url("nobody", "postgres"), &none).await;
    assert!(error.contains("role \"nobody\" does not exist (SQLSTATE 28000)"), "{error}");
    let error = failure(&url("few", "postgres"), &none).await;
    assert!(error.contains("too many connections for role \"few\" (SQLSTATE 53300); use fewer clients"), "{error}");
    let error = failure(&url("secret", "postgres"), &none).await;
    assert!(error.contains("the server wants a password"), "{error}");
    let error = failure(&format!("{} password=wrong-password", url("secret", "postgres")), &none).await;
    assert!(error.contains("the server refused the password of user secret; give it in PGPASSWORD"), "{error}");

    let home = tempfile::tempdir().unwrap();
    let pgpass = home.path().join(".pgpass");
    fs::write(&pgpass, "localhost:*:postgres:secret:right\n").unwrap();
    let env = |name: &str| (name == "HOME").then(|| home.path().display().to_string());
    fs::set_permissions(&pgpass, fs::Permissions::from_mode(0o600)).unwrap();
    Connector::from_url(&url("secret", "postgres"), &env).unwrap().connect("test").await.unwrap();
    fs::set_permissions(&pgpass, fs::Permissions::from_mode(0o644)).unwrap();
    let error = failure(&url("secret", "postgres"), &env).await;
    assert!(error.contains("was not read: others may read it"), "{error}");
    let env = |name: &str| (name == "PGPASSWORD").then(|| "right".to_owned());
    Connector::from_url(&url("secret", "postgres"), &env).unwrap().connect("test").await.unwrap();
}
