//! Statements that write, on servers and as roles that do not let them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod own_server;

use std::{fs, sync::Arc, time::Duration};

use latclinic::{
    clinic::{self, Clinic, ErrorKind, Event, Events},
    pg::Connector,
    server::{Lease, Options},
};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

const WRITES: [&str; 6] = [
    "UPDATE items SET kind = 'b' WHERE id = 5",
    "UPDATE items SET kind = $1 WHERE id = $2",
    "INSERT INTO items VALUES (0, 'x')",
    "WITH gone AS (DELETE FROM items RETURNING 1) SELECT count(*) FROM gone",
    "SELECT id FROM items WHERE id = 5 FOR UPDATE",
    "SELECT * INTO copy FROM items",
];

/// What is said of each statement that writes, asked with --rollback, and that what reads is explained.
async fn refused(connector: Connector) -> Vec<String> {
    let clinic = Clinic::given(connector, Arc::new(Deaf), CancellationToken::new());
    let ask = async |sql: &str| {
        clinic::explain_query(&clinic, sql, Vec::new(), true, false, Duration::from_secs(30), false).await
    };
    let read = ask("SELECT id FROM items WHERE id = $1").await.unwrap();
    assert!(read.plans.iter().all(|plan| plan.execution_ms.is_some()), "{read:?}");
    let mut said = Vec::new();
    for sql in WRITES {
        let error = ask(sql).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed, "{sql}: {error}");
        let said_of_it = format!("{error}; help: {}", error.hint().unwrap_or_default());
        assert!(!said_of_it.contains("--rollback") && !said_of_it.contains("--parameter"), "{sql}: {said_of_it}");
        said.push(said_of_it);
    }
    said
}

#[tokio::test]
async fn of_a_standby_its_primary_is_the_way_out() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let pg_bin = std::env::var_os("LATCLINIC_PG_BIN").map(Into::into);
    let options = Options { data_dir: Some(folder.path().join("server")), pg_bin, max_connections: 20 };
    let lease = || Lease::acquire(&options, "test", &|_| {}, &CancellationToken::new()).unwrap();
    let primary = lease();
    let client = clinic::managed::connector(primary.running()).connect_unprotected("test").await.unwrap();
    let setup =
        "CREATE TABLE items (id int, kind text); INSERT INTO items SELECT n, 'a' FROM generate_series(1, 1000) AS n";
    client.batch_execute(setup).await.unwrap();
    drop(client);
    let cluster = primary.cluster();
    primary.release(&|_| {}).unwrap();
    latclinic::server::stop(&options, &|_| {}, &CancellationToken::new()).unwrap();
    // It goes on recovering what another server would send it.
    fs::write(cluster.join("standby.signal"), "").unwrap();
    let standby = lease();
    for said in refused(clinic::managed::connector(standby.running())).await {
        assert!(said.contains("the server is a standby") && said.contains("name its primary"), "{said}");
    }
    standby.release(&|_| {}).unwrap();
}

#[tokio::test]
async fn of_a_role_that_may_not_write_its_settings_or_rights_are_the_way_out() {
    let server = OwnServer::start();
    let client = server.connector().connect_unprotected("test").await.unwrap();
    let setup =
        "CREATE TABLE items (id int, kind text); INSERT INTO items SELECT n, 'a' FROM generate_series(1, 1000) AS n;
        CREATE ROLE calm LOGIN; GRANT ALL ON items TO calm; ALTER ROLE calm SET default_transaction_read_only = on;
        CREATE ROLE looker LOGIN; GRANT SELECT ON items TO looker; REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    client.batch_execute(setup).await.unwrap();
    let running = server.lease.running();
    let of =
        |role: &'static str| Connector::managed(&running.socket_dir, running.port, role, server.connector().database());
    for said in refused(of("calm")).await {
        assert!(
            said.contains("transactions of calm") && said.contains("default_transaction_read_only is off"),
            "{said}"
        );
    }
    for said in refused(of("looker")).await {
        assert!(said.contains("permission denied for") && said.contains("let the owner GRANT them"), "{said}");
    }
}
