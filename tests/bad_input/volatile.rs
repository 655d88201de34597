//! What neither a read-only transaction nor a rollback stops: `explain --query` names the functions that may do such a thing, and only
//! estimates the statement, unless it is told to execute it.

use crate::site::Site;

const USERS: &str = "
    CREATE SCHEMA sales;
    CREATE TABLE sales.orders (id int PRIMARY KEY, n int);
    INSERT INTO sales.orders SELECT n, 0 FROM generate_series(1, 10) n;
    CREATE TABLE sales.touched (id int PRIMARY KEY, n int);
    CREATE FUNCTION sales.away() RETURNS int LANGUAGE plpgsql AS $$BEGIN
        COPY (SELECT 1) TO PROGRAM 'cat >> /tmp/latclinic-volatile'; RETURN 1; END$$;
    CREATE FUNCTION sales.of_row(sales.orders) RETURNS int LANGUAGE sql AS 'SELECT sales.away()';
    CREATE FUNCTION sales.plus(int, int) RETURNS int LANGUAGE sql AS 'SELECT sales.away()';
    CREATE FUNCTION sales.calm(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION sales.fires() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM sales.away(); RETURN new; END$$;
    CREATE TRIGGER t AFTER INSERT ON sales.touched FOR EACH ROW EXECUTE FUNCTION sales.fires();
    CREATE OPERATOR sales.### (FUNCTION = sales.plus, LEFTARG = int, RIGHTARG = int);
    CREATE AGGREGATE sales.sum_away(int) (SFUNC = sales.plus, STYPE = int, INITCOND = '0');
    CREATE VIEW sales.seen AS SELECT sales.away() AS id;
    CREATE VIEW sales.seen_twice AS SELECT * FROM sales.seen;
    CREATE VIEW sales.switching AS SELECT pg_switch_wal() AS at;
    CREATE TABLE sales.guarded (id int);
    ALTER TABLE sales.guarded ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON sales.guarded USING (sales.away() = id);
    ALTER ROLE latclinic SET search_path = public, sales";

#[test]
fn statements_with_effects_that_stay_are_only_estimated() {
    let site = Site::with_server();
    site.sql(USERS);
    let url = site.url("latclinic", "latclinic");
    let file = std::path::Path::new("/tmp/latclinic-volatile");
    let _ = std::fs::remove_file(file);
    let ask =
        |sql: &str, more: &[&str]| site.done(&[&["explain", "--database-url", &url, "--query", sql], more].concat());
    let wal = || site.sql("SELECT pg_walfile_name(pg_current_wal_lsn())");
    let segment = wal();
    for (sql, named, more) in [
        ("SELECT sales.away()", "it calls sales.away()", &[][..]),
        ("SELECT id FROM sales.orders WHERE \"away\"() = id", "it calls sales.away()", &[]),
        ("SELECT * FROM sales.seen_twice", "sales.seen calls sales.away()", &[]),
        ("SELECT * FROM sales.switching", "sales.switching calls pg_switch_wal()", &[]),
        ("SELECT o.of_row FROM sales.orders o", "it calls sales.of_row(sales.orders)", &[]),
        ("SELECT 1 OPERATOR(sales.###) 2", "it calls sales.plus(integer,integer)", &[]),
        ("SELECT 1 ### 2", "it calls sales.plus(integer,integer)", &[]),
        ("SELECT sales.sum_away(id) FROM sales.orders", "it calls sales.plus(integer,integer)", &[]),
        ("SELECT * FROM sales.guarded", "sales.guarded calls sales.away()", &[]),
        ("SELECT pg_switch_wal()", "it calls pg_switch_wal()", &[]),
        ("SELECT pg_stat_reset()", "it calls pg_stat_reset()", &[]),
        ("SELECT pg_catalog.pg_reload_conf()", "it calls pg_reload_conf()", &[]),
        ("SELECT pg_terminate_backend(0)", "it calls pg_terminate_backend(integer,bigint)", &[]),
        ("SELECT pg_advisory_lock(1)", "it calls pg_advisory_lock(bigint)", &[]),
        ("SELECT lo_export(1, '/tmp/x')", "it calls lo_export(oid,text)", &[]),
        ("SELECT pg_read_file('PG_VERSION')", "it calls pg_read_file(text)", &[]),
        ("SELECT set_config('work_mem', '1MB', false)", "it calls set_config(text,text,boolean)", &[]),
        (
            "SELECT query_to_xml('SELECT sales.away()', true, true, '')",
            "it calls query_to_xml(text,boolean,boolean,text)",
            &[],
        ),
        ("SELECT U&\"aw\\0061y\"()", "an identifier with Unicode escapes", &[]),
        ("INSERT INTO sales.touched VALUES (1, 1)", "sales.touched calls sales.fires()", &["--rollback"]),
        ("SELECT sales.away()", "it calls sales.away()", &["--rollback"]),
    ] {
        let told = ask(sql, more).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("not executed, only estimated:") && told.contains(named), "{sql}: {told}");
        assert!(told.contains("--execute-volatile executes it"), "{sql}: {told}");
    }
    assert!(!file.exists());
    assert_eq!(wal(), segment);

    // What leaves nothing behind is executed.
    for (sql, more) in [
        ("SELECT random(), now(), clock_timestamp(), timeofday(), gen_random_uuid(), version()", &[][..]),
        ("SELECT sales.calm(id), lower(n::text) FROM sales.orders TABLESAMPLE SYSTEM (50) WHERE id = 1", &[]),
        ("SELECT count(*) FROM pg_stat_activity, pg_locks", &[]),
        ("SELECT pg_total_relation_size('sales.orders'), pg_sleep(0)", &[]),
        ("UPDATE sales.orders SET n = n + 1 WHERE id = 1", &["--rollback"]),
        ("SELECT id AS away FROM sales.orders", &[]),
    ] {
        let told = ask(sql, more).stdout;
        assert!(!told.contains("not executed"), "{sql}: {told}");
    }

    let told = ask("SELECT sales.away()", &["--execute-volatile"]).stdout;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("it calls sales.away() (volatile): its effects outside the transaction were not rolled back"),
        "{told}"
    );
    assert!(file.exists());
    std::fs::remove_file(file).unwrap();
}
