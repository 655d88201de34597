//! Databases that cannot be worked in, and those that may not be.

use std::{fs, net::TcpListener};

use insta::assert_snapshot;

use crate::site::{File, PASSWORD, QUICK, Site};

#[test]
fn places_that_cannot_be_reached() {
    let site = Site::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let seed = |exit, url: String| site.refused(exit, &["seed", "--database-url", &url]);
    assert_snapshot!(seed(2, format!("postgres://me:{PASSWORD}@h:x/d")), @"
    error: the database URL's port is not 1 to 65535
      help: write it as postgresql://user@host:5432/database
    ");
    assert_snapshot!(seed(2, format!("mysql://me:{PASSWORD}@h/d")), @"
    error: `mysql://` is not a PostgreSQL URL
      help: write postgres://user@host:5432/database, or host=.. port=.. dbname=.. user=..
    ");
    assert_snapshot!(seed(2, format!("me:{PASSWORD}@h/d")), @"
    error: the database URL is not a PostgreSQL URL
      help: write postgres://user@host:5432/database, or host=.. port=.. dbname=.. user=..
    ");
    assert_snapshot!(seed(1, format!("postgres://me:{PASSWORD}@127.0.0.1:{port}/d")).replace(&port.to_string(), "PORT"), @"
    error: cannot connect to 127.0.0.1:PORT/d: nothing listens there: Connection refused (os error 111)
      help: is the server running, and is the port right?
    ");
    assert_snapshot!(seed(1, format!("postgres://me:{PASSWORD}@%2Fno%2Fwhere/d")), @"
    error: cannot connect to /no/where:5432/d: no server has a socket at /no/where/.s.PGSQL.5432: No such file or directory (os error 2)
      help: is the server running, and are the folder and the port right?
    ");
}

#[test]
fn roles_and_what_they_may() {
    let site = Site::with_server();
    site.add_role("guest");
    site.sql("CREATE DATABASE shop");
    let seed = |exit, url: &str| site.refused(exit, &["seed", "--rows", "2000", "--database-url", url]);
    assert_snapshot!(seed(1, &site.url("guest:wrong", "shop")), @r#"
    error: cannot connect to SOCKET:5432/shop: password authentication failed for user "guest" (SQLSTATE 28P01)
      help: the server refused the password of user guest; give it in PGPASSWORD, ~/.pgpass or the URL
    "#);
    assert_snapshot!(seed(1, &site.url("guest", "shop")), @"
    error: cannot connect to SOCKET:5432/shop: the server wants a password
      help: give it in PGPASSWORD, ~/.pgpass or the URL
    ");
    assert_snapshot!(seed(1, &site.url(&format!("guest:{PASSWORD}"), "nowhere")), @r#"
    error: cannot connect to SOCKET:5432/nowhere: database "nowhere" does not exist (SQLSTATE 3D000)
      help: create it (createdb nowhere), or name another one
    "#);
    let url = site.url(&format!("guest:{PASSWORD}"), "shop");
    let words = seed(1, &url);
    assert_snapshot!(words, @r#"
    error: cannot seed events on SOCKET:5432/shop: guest may not create a schema in database shop
      help: let an owner run: GRANT CREATE ON DATABASE "shop" TO "guest"
    "#);

    // The hint is the way out.
    site.sql(words.split_once("run: ").unwrap().1);
    let run = [&["run", "--yes", "--database-url", &url][..], &QUICK].concat();
    assert!(site.done(&run).stdout.contains("written: "));
    site.add_role("other");
    assert_snapshot!(seed(2, &site.url(&format!("other:{PASSWORD}"), "shop")), @"
    error: the schema latclinic_events on SOCKET:5432/shop belongs to role guest, and you work as other: what is in it would run with the rights of other
      help: if you trust guest, work as that role (`options=-c role=guest` in the URL); else drop the schema (DROP SCHEMA latclinic_events CASCADE), or give the scenario another schema by renaming its file
    ");
}

#[test]
fn a_password_does_not_stand_in_the_process_list() {
    let site = Site::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://me:{PASSWORD}@127.0.0.1:{}/d", silent.local_addr().unwrap().port());
    for flag in [&["--database-url", &url][..], &[&format!("--database-url={url}")]] {
        let running = site.start(&[&["seed"][..], flag].concat());
        let connection = silent.accept().unwrap();
        if let Ok(line) = fs::read(format!("/proc/{}/cmdline", running.pid())) {
            assert_eq!(line.split(|byte| *byte == 0).nth(1), Some(&b"seed"[..]));
            assert!(!String::from_utf8_lossy(&line).contains(PASSWORD));
        }
        drop(connection);
        assert_eq!(running.end(&site).exit, 1);
    }
}

#[test]
fn a_schema_that_is_not_ours_is_left_alone() {
    let site = Site::with_server();
    site.write("alien.toml", &File::default().text());
    site.sql("CREATE SCHEMA latclinic_alien CREATE TABLE events (id int)");
    site.sql("INSERT INTO latclinic_alien.events VALUES (42)");
    let mut told = Vec::new();
    for command in [
        &["seed"][..],
        &["seed", "--reseed"],
        &["run"],
        &["run", "--reseed"],
        &["bench", "--phase", "before"],
        &["explain", "--phase", "after"],
        &["apply-fix"],
        &["revert-fix"],
    ] {
        told.push(site.refused(2, &[command, &["alien.toml"]].concat()));
    }
    told.dedup();
    assert_snapshot!(told.join("\n"), @"
    error: the schema latclinic_alien on SOCKET:5432/latclinic was not made by latclinic, so latclinic does not touch it
      help: rename it (ALTER SCHEMA latclinic_alien RENAME TO ..), or give the scenario another id by renaming its file
    error: the schema latclinic_alien was not made by latclinic, so latclinic does not touch it
      help: rename that schema, or give the scenario another id by renaming its file
    ");
    assert_eq!(site.sql("SELECT * FROM latclinic_alien.events"), "42");
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'latclinic_alien'::regnamespace";
    assert_eq!(site.sql(tables), "1");
}

/// The arguments, at a place that is not the managed one.
fn at<'a>(url: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--database-url", url]].concat()
}

#[test]
fn what_would_change_a_server_that_is_not_ours_needs_a_yes() {
    let site = Site::with_server();
    let url = site.url("latclinic", "latclinic");
    let run = site.run(&at(&url, &["run", "--rows", "2000"]));
    assert_eq!(run.exit, 2);
    assert_snapshot!(run.stderr.trim_end(), @"
    on SOCKET:5432/latclinic: make the schema latclinic_events and load 2 000 rows, unless they are there; measure the workload, with a CHECKPOINT before each block if the role may; execute each operation with some parameters in transactions that are rolled back; between the blocks: writes that are rolled back, VACUUM, and applying and reverting the fix repeatedly
    statements that write only inside the schema latclinic_events:
      sql/events/schema.sql:2
          CREATE TABLE events (
              id         bigint      PRIMARY KEY,
              user_id    bigint      NOT NULL,
              created_at timestamptz NOT NULL,
              kind       text        NOT NULL,
              payload    jsonb       NOT NULL
          );
      scenarios/events.toml: workload.statements.latest_events.sql:1
          SELECT id, user_id, created_at FROM events WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20;
      sql/events/fix.up.sql:1
          CREATE INDEX CONCURRENTLY events_user_id_created_at_idx ON events (user_id, created_at DESC);
      sql/events/fix.down.sql:1
          DROP INDEX CONCURRENTLY IF EXISTS events_user_id_created_at_idx;
    error: nothing was run on SOCKET:5432/latclinic
      help: pass --yes to run these statements there
    ");
    assert_eq!(site.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'latclinic_events'"), "0");

    site.done(&at(&url, &["seed", "--rows", "2000"]));
    let apply = site.run(&at(&url, &["apply-fix", "--rows", "2000"]));
    assert_eq!(apply.exit, 2);
    assert_snapshot!(apply.stderr.trim_end(), @"
    to be run on SOCKET:5432/latclinic, with a lock_timeout of 5s:
      CREATE INDEX CONCURRENTLY events_user_id_created_at_idx ON events (user_id, created_at DESC);
    error: nothing was run on SOCKET:5432/latclinic
      help: pass --yes to run these statements there
    ");
    let indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'latclinic_events' AND tablename = 'events'";
    assert_eq!(site.sql(indexes), "1");
    site.done(&at(&url, &["apply-fix", "--yes"]));
    assert_eq!(site.sql(indexes), "2");
    let revert = site.run(&at(&url, &["revert-fix"]));
    assert_eq!((revert.exit, site.sql(indexes).as_str()), (2, "2"));
    site.done(&at(&url, &["revert-fix", "--yes"]));
    assert_eq!(site.sql(indexes), "1");
}

/// A password that was given in the wrong place is neither shown nor in the process list, and no command works anywhere else
/// than where it was told to.
#[test]
fn a_url_in_the_wrong_place_is_refused_without_its_password() {
    let site = Site::new();
    site.write("plan.txt", "Result  (cost=0.00..0.01 rows=1 width=4)");
    for url in [
        format!("postgres://me:{PASSWORD}@nowhere.invalid/d"),
        format!("host=nowhere.invalid user=me password={PASSWORD}"),
        format!("postgres://nowhere.invalid/d?password={PASSWORD}"),
    ] {
        let joined = format!("--database-url={url}");
        for args in [
            // Commands that have no such flag.
            &["server", "psql", "--database-url", &url, "--", "-Atc", "SELECT 1"][..],
            &["server", "psql", &joined],
            &["server", "status", &joined],
            &["server", "start", "--database-url", &url],
            &["compare", "--database-url", &url],
            &["scenarios", "list", &joined],
            &["scenarios", "check", "plan.txt", "--database-url", &url],
            &["baseline", "list", "--database-url", &url],
            &["explain", "--plan", "plan.txt", "--database-url", &url],
            &["explain", "--rules", &joined],
            &["--database-url", &url, "seed"],
            // Other arguments.
            &["bench", &url, "--phase", "before"],
            &["run", &url],
            &["seed", &url],
            &["explain", &url, "--phase", "before"],
            &["apply-fix", &url],
            &["scenarios", "show", &url],
            &["seed", "events", &url],
            &["seed", "--rows", &url],
            &["bench", "--phase", &url],
            &["compare", &url],
            &[&url],
        ] {
            // What is told is looked through for the password.
            let told = site.run(args);
            assert_eq!(told.exit, 2, "{args:?}: {}{}", told.stdout, told.stderr);
            assert!(told.stderr.contains("error: "), "{args:?}: {}", told.stderr);
        }
    }
    assert_snapshot!(site.refused(2, &["bench", "--phase", "before", &format!("postgres://me:{PASSWORD}@h/d")]), @"
    error: a database URL was given as the scenario
      help: pass a database with --database-url; a scenario is a bundled id or the path of a file
    ");
    assert!(!site.has_processes() && !site.path("reports").exists());
}
