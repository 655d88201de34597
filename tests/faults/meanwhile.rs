//! What other sessions do meanwhile, and servers that take no writes: found out and said.

use std::time::{Duration, Instant};

use crate::site::{MEASURING, Site, record, wait_for};

#[test]
fn a_fix_or_a_dataset_that_another_session_changes_makes_no_valid_record() {
    let site = Site::with_server();
    let url = site.url("latclinic", "latclinic");
    let at = |args: &[&'static str]| -> Vec<String> {
        args.iter().map(|arg| (*arg).to_owned()).chain(["--database-url".to_owned(), url.clone()]).collect()
    };
    let run = |args: &[&'static str]| site.done(&at(args).iter().map(String::as_str).collect::<Vec<_>>());
    run(&["seed", "--rows", "2000"]);
    for (name, act, words) in [
        ("dataset", &["seed", "--rows", "2000", "--reseed"][..], "another session made the dataset again"),
        ("fix", &["apply-fix", "--rows", "2000", "--yes"][..], "another session applied or reverted the fix"),
    ] {
        let bench = ["bench", "--phase", "before", "--rows", "2000", "--clients", "2", "--warmup", "100ms"];
        let more = ["--duration", "4s", "--output", name, "--database-url", &url];
        let mut running = site.start(&[&bench[..], &more].concat());
        running.hear(MEASURING);
        run(act);
        let told = running.end(&site);
        assert_eq!(told.exit, 1, "{}", told.stderr);
        let expected =
            format!("the measurement of phase before is not valid: {words} while phase before was being measured");
        assert!(told.stderr.contains(&expected), "{}", told.stderr);
        let record = record(&site.path(name));
        let warnings = record["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|warning| warning["id"] == "changed-by-others"), "{warnings:?}");
        assert_eq!(record["interrupted"], true);
    }
}

#[test]
fn a_role_that_only_reads_is_told_so_before_anything_is_done() {
    let site = Site::with_server();
    site.sql("CREATE TABLE t AS SELECT 1 AS a");
    // What a role grants of itself is no reason to trust it.
    site.sql("CREATE ROLE reader LOGIN; CREATE ROLE admin SUPERUSER; SET ROLE admin; GRANT latclinic TO reader");
    site.sql("ALTER ROLE reader SET default_transaction_read_only = on");
    site.done(&["seed", "--rows", "2000"]);
    let url = site.url("reader", "latclinic");
    for args in [
        &["explain", "--rollback", "--query", "UPDATE t SET a = 2"][..],
        &["explain", "--query", "UPDATE t SET a = 2"],
        &["apply-fix", "--rows", "2000", "--yes"],
        &["run", "--rows", "2000", "--yes"],
    ] {
        let refusal = site.refused(1, &[args, &["--database-url", &url]].concat());
        assert!(refusal.contains("transactions of reader in database latclinic are read-only"), "{args:?}: {refusal}");
        assert!(!refusal.contains("pass --rollback") && !refusal.contains("half"), "{args:?}: {refusal}");
    }
}

#[test]
fn a_lock_is_waited_for_half_of_the_time_limit_while_preparing_too() {
    let site = Site::with_server();
    site.sql("CREATE TABLE t AS SELECT 1 AS a");
    let lock = "BEGIN; LOCK TABLE t; SELECT pg_catalog.pg_sleep(60)";
    let holder = site.start(&["server", "psql", "--", "-c", lock]);
    let held =
        "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    wait_for("the lock is held", || site.sql(held) == "1");
    let begin = Instant::now();
    let url = site.url("latclinic", "latclinic");
    let told = site.run(&["explain", "--query", "SELECT * FROM t", "--time-limit", "2s", "--database-url", &url]);
    assert!(told.stderr.contains("another session holds a lock"), "{}{}", told.stdout, told.stderr);
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}: {}", begin.elapsed(), told.stderr);
    drop(holder);
}
