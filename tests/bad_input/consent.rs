//! What a scenario's SQL may write outside of the scenario's schema, on a server that is not latclinic's own: nothing, before a person
//! has agreed to a list of the statements.

use crate::site::{QUICK, Site, Told};

/// What the user has: all of it may be read, and none of it changed.
const USERS: &str = "
    CREATE SCHEMA sales;
    CREATE TABLE sales.victim (id int PRIMARY KEY, n int NOT NULL);
    INSERT INTO sales.victim SELECT n, 0 FROM generate_series(1, 10) n;
    CREATE TABLE public.victim (id int PRIMARY KEY, n int NOT NULL);
    CREATE TABLE sales.serial (id serial PRIMARY KEY, n int);
    CREATE SEQUENCE sales.numbers;
    CREATE FUNCTION sales.bump() RETURNS int LANGUAGE sql AS 'UPDATE sales.victim SET n = n + 1; SELECT 1';
    CREATE FUNCTION public.looks(sales.victim) RETURNS int LANGUAGE sql AS 'UPDATE sales.victim SET n = n + 1; SELECT 1';
    CREATE VIEW sales.bumping AS SELECT sales.bump() AS id;
    CREATE FUNCTION sales.plus(int, int) RETURNS int LANGUAGE sql AS 'UPDATE sales.victim SET n = n + 1; SELECT 1';
    CREATE OPERATOR sales.### (FUNCTION = sales.plus, LEFTARG = int, RIGHTARG = int);
    CREATE AGGREGATE sales.bump_all(int) (SFUNC = sales.plus, STYPE = int, INITCOND = '0');
    CREATE ROLE app";

/// All that could be changed outside of the scenarios' schemas.
const STATE: &str = "
    SELECT (SELECT sum(n) FROM sales.victim) || ' ' || (SELECT last_value FROM sales.numbers) || ' '
        || (SELECT last_value FROM sales.serial_id_seq) || ' '
        || (SELECT string_agg(concat(n.nspname, '.', c.relname, c.reltuples), ' ' ORDER BY n.nspname, c.relname) FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('sales', 'public')) || ' '
        || (SELECT string_agg(concat(oid, conrelid), ' ' ORDER BY oid) FROM pg_constraint WHERE connamespace IN ('sales'::regnamespace, 'public'::regnamespace)) || ' '
        || (SELECT string_agg(concat(rolname, rolsuper), ' ' ORDER BY rolname) FROM pg_roles) || ' '
        || (SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg_temp%' AND nspname NOT LIKE 'pg_toast%') || ' '
        || (SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension)
        || coalesce((SELECT string_agg(setconfig::text, ' ') FROM pg_db_role_setting), '')";

fn file(schema: &str, statement: &str, parameter: &str, rest: &str) -> String {
    format!(
        "title = 't'
dataset.schema = '''CREATE TABLE orders (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
{schema}'''
dataset.tables.orders.rows = 100
dataset.tables.orders.columns.id = {{ sequence = {{}} }}
workload.statements.q.sql = '''{statement}'''
workload.statements.q.parameters = [{parameter}]
fix.title = 'an index'
fix.up = 'CREATE INDEX orders_n ON orders (n)'
fix.down = 'DROP INDEX orders_n'
{rest}"
    )
}

const READS: &str = "SELECT n FROM orders WHERE id = $1";
const DRAWN: &str = "{ uniform = { min = 1, max = 10 } }";

fn site() -> (Site, String) {
    let site = Site::with_server();
    site.sql(USERS);
    let url = site.url("latclinic", "latclinic");
    (site, url)
}

/// Of what a command listed: the statements that may write elsewhere, and the others.
fn listed(told: &Told) -> (&str, &str) {
    let said = &told.stderr;
    let (beyond, within) = said.split_once("statements that write only inside").unwrap();
    assert!(beyond.contains("statements that may write outside the schema latclinic_"), "{said}");
    assert!(said.ends_with("help: pass --yes to run these statements there\n"), "{said}");
    (beyond, within)
}

#[test]
fn a_schema_that_may_reach_elsewhere_is_not_made_without_a_yes() {
    let (site, url) = site();
    let before = site.sql(STATE);
    let touched = std::path::Path::new("/tmp/latclinic-consent-touched");
    let program = format!("COPY (SELECT 1) TO PROGRAM 'touch {}'", touched.display());
    let statements = [
        "DROP TABLE IF EXISTS sales.victim",
        "DROP TABLE victim",
        "DROP SCHEMA sales CASCADE",
        "ALTER TABLE sales.victim ADD COLUMN x int",
        "CREATE INDEX ON victim (n)",
        "CREATE TABLE mine (id int REFERENCES sales.victim)",
        "CREATE TABLE mine () INHERITS (sales.victim)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE mine AS WITH x AS (DELETE FROM sales.victim RETURNING *) SELECT * FROM x",
        "INSERT INTO victim VALUES (1, 1)",
        "WITH x AS (UPDATE sales.victim SET n = 1 RETURNING id) INSERT INTO orders SELECT id FROM x",
        "DO $$BEGIN UPDATE sales.victim SET n = 1; END$$",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE FROM sales.victim; RETURN new; END$$",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()",
        "SELECT sales.bump()",
        "CREATE TABLE mine AS SELECT * FROM sales.bumping",
        "ALTER TABLE orders ADD COLUMN x int DEFAULT sales.bump()",
        "CREATE TABLE mine (LIKE sales.serial INCLUDING ALL)",
        "SELECT nextval('sales.numbers')",
        "SELECT setval('sales.numbers', 77)",
        "CREATE EXTENSION pgstattuple",
        "ALTER ROLE app SUPERUSER",
        "ALTER DATABASE latclinic SET work_mem = '1MB'",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "GRANT app TO latclinic",
        "SET search_path = sales",
        "SELECT pg_catalog.set_config('search_path', 'sales', false)",
        "PREPARE p AS DELETE FROM sales.victim",
        "EXECUTE p",
        "ANALYZE",
        &program,
    ];
    site.write("beyond.toml", &file(&statements.join(";\n"), READS, DRAWN, ""));
    for command in [&["seed"][..], &["run"], &["seed", "--reseed"]] {
        let told = site.run(&[command, &["beyond.toml", "--database-url", &url]].concat());
        assert_eq!(told.exit, 2, "{}", told.stderr);
        let (beyond, within) = listed(&told);
        for (statement, line) in statements.iter().zip(2..) {
            let listed = format!("beyond.toml: dataset.schema:{line}\n  - ");
            assert!(beyond.contains(&listed), "{statement}: {}", told.stderr);
            assert!(beyond.contains(&format!("      {statement};")), "{statement}: {}", told.stderr);
        }
        assert!(within.contains("      CREATE TABLE orders ("), "{}", told.stderr);
    }
    assert_eq!(site.sql(STATE), before);
    assert!(!touched.exists());
}

#[test]
fn what_stays_in_the_schema_needs_no_yes_and_what_was_agreed_to_is_done() {
    let (site, url) = site();
    let before = site.sql(STATE);
    let at = |args: &[&str]| site.run(&[args, &["--database-url", &url]].concat());
    // It reads what the user has, and has a table of the name of another one.
    let schema = "CREATE TABLE victim (LIKE sales.victim INCLUDING ALL);
        INSERT INTO victim SELECT * FROM sales.victim;
        CREATE VIEW seen AS SELECT * FROM sales.victim;
        UPDATE victim SET n = 7";
    let writes = "UPDATE victim SET n = n + 1 WHERE id = $1";
    site.write("copied.toml", &file(schema, writes, "{ query = 'SELECT id FROM sales.victim' }", ""));
    for command in [
        &["seed"][..],
        &["bench", "--phase", "before", "--duration", "300ms", "--warmup", "100ms"],
        &["explain", "--phase", "before"],
    ] {
        let told = at(&[command, &["copied.toml"]].concat());
        assert_eq!(told.exit, 0, "{}", told.stderr);
        assert!(!told.stderr.contains("statements"), "{}", told.stderr);
    }
    let outside = |state: String| state.replace("latclinic_copied ", "");
    assert_eq!(outside(site.sql(STATE)), before);
    assert_eq!(site.sql("SELECT min(n) >= 7 FROM latclinic_copied.victim"), "t");

    site.write("danger.toml", &file("DROP TABLE IF EXISTS sales.serial", READS, DRAWN, ""));
    let told = at(&["seed", "danger.toml", "--yes"]);
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert!(told.stderr.contains("dataset.schema:2\n  - it changes sales.serial, which may be outside the schema\n      DROP TABLE IF EXISTS sales.serial;"), "{}", told.stderr);
    assert_eq!(site.sql("SELECT to_regclass('sales.serial') IS NULL"), "t");
    // What is there needs nothing to be run.
    assert_eq!(at(&["seed", "danger.toml"]).exit, 0);
    // latclinic's own server needs no yes.
    let told = site.run(&["seed", "danger.toml", "--reseed"]);
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert!(!told.stderr.contains("statements"), "{}", told.stderr);
}

#[test]
fn a_workload_that_may_reach_elsewhere_is_not_executed_without_a_yes() {
    let (site, url) = site();
    let statements = [
        "UPDATE sales.victim SET n = n + 1",
        "UPDATE victim SET n = n + 1",
        "DELETE FROM victim",
        "UPDATE seen SET n = n + 1",
        "WITH x AS (UPDATE sales.victim SET n = n + 1 RETURNING id) SELECT * FROM x",
        "SELECT id FROM sales.victim FOR UPDATE",
        "SELECT sales.bump()",
        "SELECT v.looks FROM sales.victim v",
        "SELECT * FROM sales.bumping",
        "SELECT 1 OPERATOR(sales.###) 2",
        "SELECT sales.bump_all(id) FROM orders",
        "SELECT nextval('sales.numbers')",
        "SELECT pg_notify('x', 'y')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_terminate_backend(0)",
        "SELECT query_to_xml('SELECT sales.bump()', true, true, '')",
        "CALL sales.go()",
        "TRUNCATE sales.victim",
    ];
    let mut rest = "load.settings = { role = 'app', work_mem = '8MB' }\n".to_owned();
    for (number, statement) in statements.iter().enumerate() {
        rest.push_str(&format!("workload.statements.s{number}.sql = \"{statement}\"\n"));
    }
    rest.push_str("workload.scripts.t.steps = [{ name = 'one', sql = 'DELETE FROM sales.victim' }]");
    let query = "{ query = 'SELECT sales.bump() AS fetched' }";
    site.write("work.toml", &file("CREATE VIEW seen AS SELECT * FROM sales.victim", READS, query, &rest));
    let seeded = site.run(&["seed", "work.toml", "--database-url", &url]);
    assert_eq!(seeded.exit, 0, "{}", seeded.stderr);
    let before = site.sql(STATE);
    for command in [
        &["bench", "--phase", "before"][..],
        &["bench", "--phase", "before", "--find-capacity", "p(95)<1s"],
        &["explain", "--phase", "before"],
        &["run"],
        &["run", "--aa"],
    ] {
        let told = site.run(&[command, &["work.toml", "--database-url", &url]].concat());
        assert_eq!(told.exit, 2, "{}", told.stderr);
        let (beyond, within) = listed(&told);
        let more = ["DELETE FROM sales.victim", "SELECT sales.bump() AS fetched", "SET role = 'app'"];
        for statement in statements.iter().chain(&more) {
            assert!(beyond.contains(&format!("      {statement};")), "{statement}: {}", told.stderr);
        }
        assert!(within.contains(READS) && !told.stderr.contains("work_mem"), "{}", told.stderr);
    }
    assert_eq!(site.sql(STATE), before);
    assert!(!site.path("reports").exists());
}

#[test]
fn what_a_schema_has_added_to_its_tables_is_asked_of_the_server() {
    let (site, url) = site();
    let at = |args: &[&str]| site.run(&[args, &["--database-url", &url]].concat());
    let schema = "
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE sales.victim SET n = n + 1; RETURN new; END$$;
        CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f();
        CREATE FUNCTION quiet() RETURNS int STABLE LANGUAGE sql AS 'SELECT sales.bump()';
        CREATE VIEW quietly AS SELECT quiet() AS id";
    for (statement, why) in [
        (
            "UPDATE orders SET n = 1 WHERE id = $1",
            "- latclinic_added.orders calls latclinic_added.f(), which may do anything",
        ),
        ("SELECT quiet() WHERE 1 = $1", "- it calls latclinic_added.quiet(), which may do anything"),
        (
            "SELECT * FROM quietly WHERE id = $1",
            "- latclinic_added.quietly calls latclinic_added.quiet(), which may do anything",
        ),
    ] {
        site.write("added.toml", &file(schema, statement, DRAWN, ""));
        assert_eq!(at(&["seed", "added.toml", "--reseed"]).exit, 2);
        let seeded = at(&["seed", "added.toml", "--reseed", "--yes"]);
        assert_eq!(seeded.exit, 0, "{}", seeded.stderr);
        let before = site.sql(STATE);
        let told = at(&["bench", "added.toml", "--phase", "before"]);
        assert!(told.exit == 2 && told.stderr.contains(why), "{}", told.stderr);
        assert_eq!(site.sql(STATE), before);
    }
    // Reading beside the trigger is nothing.
    site.write("added.toml", &file(schema, READS, DRAWN, ""));
    let bench = ["bench", "added.toml", "--phase", "before", "--duration", "300ms", "--warmup", "100ms"];
    let told = at(&bench);
    assert_eq!(told.exit, 0, "{}", told.stderr);

    // A phase sends its own statements.
    let rewrite = "fix.statements.q.sql = 'SELECT n FROM orders, sales.bumping WHERE orders.id = $1'";
    let rewritten = file("", READS, DRAWN, rewrite).replace("fix.up = 'CREATE INDEX orders_n ON orders (n)'\n", "");
    site.write("rewritten.toml", &rewritten.replace("fix.down = 'DROP INDEX orders_n'\n", ""));
    assert_eq!(at(&["seed", "rewritten.toml"]).exit, 0);
    let before = site.sql(STATE);
    let told = at(&["bench", "rewritten.toml", "--phase", "after"]);
    assert!(
        told.exit == 2 && told.stderr.contains("sales.bumping calls sales.bump(), which may do anything"),
        "{}",
        told.stderr
    );
    assert_eq!(at(&["explain", "rewritten.toml", "--phase", "after"]).exit, 2);
    assert_eq!(site.sql(STATE), before);
    let told = at(&[&["bench", "rewritten.toml", "--phase", "before"], &QUICK[2..]].concat());
    assert_eq!(told.exit, 0, "{}", told.stderr);
    let told = at(&[&["bench", "rewritten.toml", "--phase", "after", "--yes"], &QUICK[2..]].concat());
    assert_eq!(told.exit, 0, "{}", told.stderr);
    assert!(told.stderr.contains("FROM orders, sales.bumping WHERE"), "{}", told.stderr);
    assert_ne!(site.sql(STATE), before);
}
