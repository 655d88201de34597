//! Statements that cannot be explained, and those that may not be executed.

use std::io::Write;

use insta::assert_snapshot;

use crate::site::{PASSWORD, Site};

#[test]
fn statements_that_are_refused_before_a_server_is_asked() {
    let site = Site::new();
    let refused = |args: &[&str]| site.refused(2, &[&["explain"], args].concat());
    assert_snapshot!(refused(&["--query", "SELECT 1; DROP TABLE users"]), @"error: there are 2 statements, and one can be explained at a time");
    assert_snapshot!(refused(&["--query", " -- nothing"]), @"error: there is no statement to explain");
    assert_snapshot!(refused(&["--query", "VACUUM users", "--rollback"]), @"
    error: VACUUM cannot be explained: PostgreSQL makes no plan for it, and its effects could not be rolled back
      help: give a SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE or MERGE
    ");
    assert_snapshot!(refused(&["--query", "@gone.sql"]), @"
    error: cannot read the statement from gone.sql: No such file or directory (os error 2)
      help: --query takes SQL, @FILE, or - for stdin
    ");
    std::fs::write(site.path("bytes.sql"), b"SELECT '\xff'").unwrap();
    assert_snapshot!(refused(&["--query", "@bytes.sql"]), @"
    error: cannot read the statement from bytes.sql: it is not UTF-8 text
      help: --query takes SQL, @FILE, or - for stdin
    ");
    assert!(refused(&["--parameter", "5"]).contains("--query <SQL>"));
    assert!(refused(&["events", "--query", "SELECT 1"]).contains("cannot be used with"));
}

#[test]
fn a_statement_of_a_database_of_anybodys() {
    let site = Site::with_server();
    site.add_role("guest");
    site.sql("CREATE DATABASE shop");
    let url = site.url(&format!("guest:{PASSWORD}"), "shop");
    let ask =
        |query: &str, more: &[&str]| site.run(&[&["explain", "--database-url", &url, "--query", query], more].concat());
    let told = ask("SELECT count(*) FROM pg_class WHERE relname = $1", &["--parameter", "pg_class"]);
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert!(told.stdout.contains("pg_class_relname_nsp_index"), "{}", told.stdout);
    assert!(!format!("{}{}", told.stdout, told.stderr).contains(PASSWORD));

    let told = ask("SELECT id FROM nowhere", &[]);
    assert!(told.exit == 2 && told.stderr.contains("does not exist (SQLSTATE 42P01)"), "{}", told.stderr);
    // What a server quotes does not control the terminal.
    let told = ask("SELECT \"\u{1b}[31mred\u{202e}\"", &[]);
    assert!(told.stderr.contains("column \"\u{fffd}[31mred\u{fffd}\" does not exist"), "{}", told.stderr);
    let told = ask("SELECT pg_sleep(600)", &["--time-limit", "200ms"]);
    assert!(told.exit == 0 && told.stdout.contains("not executed: it takes more than 0.2 s"), "{}", told.stdout);

    let told = site.run(&["explain", "--query", "SELECT setval('numbers', 1)"]);
    assert_eq!(told.exit, 2, "{}", told.stderr);
    site.sql("CREATE SEQUENCE public.numbers");
    let told = site.run(&["explain", "--query", "SELECT nextval('public.numbers')"]);
    assert!(told.exit == 2 && told.stderr.contains("help: pass --rollback"), "{}", told.stderr);
    let told = site.run(&["explain", "--query", "SELECT nextval('public.numbers')", "--rollback"]);
    assert!(told.exit == 0 && told.stdout.contains("sequence"), "{}", told.stderr);

    let mut command = site.command(&["explain", "--query", "-"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"EXPLAIN SELECT 42;\n").unwrap();
    let told = child.wait_with_output().unwrap();
    assert!(told.status.success());
    assert!(String::from_utf8_lossy(&told.stdout).contains("the EXPLAIN in front of the statement was ignored"));
}
