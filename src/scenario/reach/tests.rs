use std::collections::BTreeSet;

use super::*;

fn known() -> Known {
    let table = |name: &str| (name.to_owned(), RelationKind::Table);
    Known::new("latclinic_x", [table("orders"), table("Items"), ("v".to_owned(), RelationKind::Other)])
}

/// What the statements of a schema do beyond it, one after the other.
fn beyond(statements: &[&str]) -> Vec<Option<String>> {
    let mut known = Known::new("latclinic_x", []);
    let words = |beyond| match beyond {
        Beyond::Names(name) => name.to_string(),
        Beyond::Anything => "anything".to_owned(),
    };
    statements.iter().map(|sql| reach(sql, &mut known).beyond.map(words)).collect()
}

#[test]
fn a_schema_of_its_own_stays_within() {
    let statements = [
        "BEGIN",
        "CREATE TYPE mood AS ENUM ('a', 'b')",
        "CREATE TYPE pair AS (a int, b int)",
        "CREATE DOMAIN amount AS numeric(10, 2) CHECK (VALUE > 0)",
        "CREATE SEQUENCE IF NOT EXISTS numbers",
        "CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int DEFAULT nextval('numbers'),
             name text CHECK (name LIKE 'a%') NO INHERIT, boss bigint REFERENCES users (id) ON DELETE CASCADE ON UPDATE SET NULL)",
        "CREATE UNLOGGED TABLE IF NOT EXISTS latclinic_x.orders (LIKE sales.orders INCLUDING ALL, user_id bigint REFERENCES users)
             WITH (fillfactor = 70)",
        "CREATE TABLE parts (at date) PARTITION BY RANGE (at)",
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        "CREATE TABLE child () INHERITS (users, latclinic_x.orders)",
        "CREATE TABLE copy AS WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS by_name ON ONLY users USING btree (lower(name)) INCLUDE (id) WHERE id > 0",
        "CREATE INDEX ON orders (user_id)",
        "CREATE STATISTICS both (ndistinct) ON id, name FROM users",
        "CREATE OR REPLACE VIEW seen AS SELECT * FROM sales.orders FOR UPDATE",
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a",
        "INSERT INTO orders OVERRIDING SYSTEM VALUE SELECT * FROM sales.orders ON CONFLICT DO UPDATE SET id = 1",
        "ALTER TABLE ONLY users ADD COLUMN day date, ADD CONSTRAINT k UNIQUE (day), ALTER COLUMN n SET STATISTICS 500",
        "ALTER TABLE parts ATTACH PARTITION copy FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "ALTER TABLE copy RENAME TO old",
        "ALTER SEQUENCE numbers OWNED BY users.n",
        "COMMENT ON COLUMN users.name IS 'x'",
        "COMMENT ON TABLE latclinic_x.users IS 'x'",
        "VACUUM (ANALYZE) users (name), old",
        "ANALYZE VERBOSE users",
        "CLUSTER users USING by_name",
        "REINDEX TABLE users",
        "SET work_mem = '64MB'",
        "TRUNCATE TABLE orders, child RESTART IDENTITY",
        "DROP INDEX by_name",
        "DROP TABLE IF EXISTS old, parts CASCADE",
        "COMMIT",
    ];
    let found = beyond(&statements);
    for (statement, beyond) in statements.iter().zip(found) {
        assert_eq!(beyond, None, "{statement}");
    }
}

#[test]
fn what_may_reach_elsewhere_is_told() {
    for (statement, expected) in [
        ("DROP TABLE IF EXISTS sales.victim", "sales.victim"),
        ("DROP TABLE victim", "victim"),
        ("drop table shop.public.victim", "public.victim"),
        ("DROP TABLE \"Victim\"", "Victim"),
        ("DROP SCHEMA sales CASCADE", "anything"),
        ("DROP OWNED BY app", "anything"),
        ("CREATE TABLE public.mine (id int)", "public.mine"),
        ("CREATE TEMP TABLE mine (id int)", "anything"),
        ("CREATE TABLE mine (id int REFERENCES sales.victim)", "sales.victim"),
        ("CREATE TABLE mine (id int, FOREIGN KEY (id) REFERENCES victim (id))", "victim"),
        ("CREATE TABLE mine () INHERITS (sales.victim)", "sales.victim"),
        ("CREATE TABLE mine PARTITION OF sales.victim DEFAULT", "sales.victim"),
        ("CREATE TABLE mine AS WITH x AS (DELETE FROM sales.victim RETURNING *) SELECT * FROM x", "sales.victim"),
        ("CREATE TABLE mine AS EXECUTE something", "anything"),
        ("CREATE INDEX i ON sales.victim (id)", "sales.victim"),
        ("CREATE INDEX i ON victim (id)", "victim"),
        ("CREATE STATISTICS s ON a, b FROM sales.victim", "sales.victim"),
        ("CREATE SEQUENCE s OWNED BY sales.victim.id", "sales.victim"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "anything"),
        ("CREATE TRIGGER t AFTER INSERT ON mine EXECUTE FUNCTION f()", "anything"),
        ("CREATE RULE r AS ON INSERT TO mine DO ALSO DELETE FROM sales.victim", "anything"),
        ("CREATE EXTENSION IF NOT EXISTS pg_trgm", "anything"),
        ("CREATE SCHEMA other", "anything"),
        ("CREATE ROLE r", "anything"),
        ("CREATE TYPE t (INPUT = a, OUTPUT = b)", "anything"),
        ("CREATE TYPE public.t AS ENUM ('a')", "public.t"),
        ("CREATE FOREIGN TABLE f (id int) SERVER s", "anything"),
        ("CREATE OR REPLACE VIEW public.v AS SELECT 1", "public.v"),
        ("ALTER TABLE sales.victim ADD COLUMN x int", "sales.victim"),
        ("ALTER TABLE victim RENAME TO mine", "victim"),
        ("ALTER ROLE app SUPERUSER", "anything"),
        ("ALTER DATABASE shop SET work_mem = '1GB'", "anything"),
        ("ALTER SYSTEM SET fsync = off", "anything"),
        ("COMMENT ON DATABASE shop IS 'x'", "anything"),
        ("COMMENT ON COLUMN sales.victim.n IS 'x'", "sales.victim"),
        ("GRANT ALL ON sales.victim TO public", "anything"),
        ("TRUNCATE sales.victim", "sales.victim"),
        ("ANALYZE", "anything"),
        ("VACUUM FULL", "anything"),
        ("CLUSTER", "anything"),
        ("REINDEX DATABASE shop", "anything"),
        ("COPY sales.victim FROM STDIN", "anything"),
        ("COPY (SELECT 1) TO PROGRAM 'touch x'", "anything"),
        ("DO $$BEGIN DELETE FROM sales.victim; END$$", "anything"),
        ("CALL f()", "anything"),
        ("EXECUTE something", "anything"),
        ("PREPARE something AS SELECT 1", "anything"),
        ("EXPLAIN ANALYZE DELETE FROM sales.victim", "anything"),
        ("LOCK TABLE sales.victim", "anything"),
        ("REFRESH MATERIALIZED VIEW sales.v", "anything"),
        ("NOTIFY x", "anything"),
        ("SET search_path = public", "anything"),
        ("SET LOCAL search_path TO public", "anything"),
        ("SET ROLE app", "anything"),
        ("SET SESSION AUTHORIZATION app", "anything"),
        ("RESET ALL", "anything"),
        ("SELECT 1 AS a INTO mine", "anything"),
        ("COMMIT PREPARED 'x'", "anything"),
        ("ROLLBACK", "anything"),
        ("UPDATE U&\"sal\\0065s\".victim SET n = 1", "anything"),
        ("an unknown statement", "anything"),
    ] {
        assert_eq!(beyond(&[statement]), [Some(expected.to_owned())], "{statement}");
    }
}

#[test]
fn a_name_is_that_of_the_next_schema_once_the_first_one_has_it_no_more() {
    let created = "CREATE TABLE victim (id int)";
    assert_eq!(beyond(&[created, "DROP TABLE victim", "DROP TABLE victim"])[2].as_deref(), Some("victim"));
    assert_eq!(
        beyond(&[created, "ALTER TABLE victim RENAME TO a", "DELETE FROM victim"])[2].as_deref(),
        Some("victim")
    );
    assert_eq!(beyond(&[created, "ALTER TABLE victim RENAME TO a", "DELETE FROM a"])[2], None);
    let index = "CREATE INDEX i ON victim (id)";
    assert_eq!(beyond(&[created, index, "DROP TABLE victim", "DROP INDEX i"])[3].as_deref(), Some("i"));
    assert_eq!(beyond(&[created, index, "ALTER TABLE victim DROP COLUMN id", "DROP INDEX i"])[3].as_deref(), Some("i"));
    assert_eq!(beyond(&["BEGIN", created, "ROLLBACK"])[2].as_deref(), Some("anything"));
    assert_eq!(beyond(&["CREATE TABLE pg_class (id int)", "DELETE FROM pg_class"])[1].as_deref(), Some("pg_class"));
}

#[test]
fn a_workload_writes_to_tables_of_the_schema() {
    let within = |sql: &str| reach_unordered(sql, &known());
    for sql in [
        "SELECT * FROM sales.victim v JOIN orders USING (id)",
        "(SELECT 1) UNION (SELECT 2)",
        "UPDATE orders SET n = n + 1 WHERE id = $1",
        "UPDATE ONLY latclinic_x.orders AS o SET n = 1 FROM sales.victim",
        "WITH gone AS (DELETE FROM \"Items\" RETURNING *) INSERT INTO orders SELECT * FROM gone",
        "INSERT INTO orders (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET n = excluded.n",
        "MERGE INTO orders USING sales.victim v ON v.id = orders.id WHEN MATCHED THEN UPDATE SET n = 1
             WHEN NOT MATCHED THEN INSERT (id) VALUES (1)",
        "SELECT nextval('orders'::regclass), t.\"update\", 1 AS delete FROM t",
        "SET LOCAL enable_seqscan = off",
        "ROLLBACK",
    ] {
        assert_eq!(within(sql).beyond, None, "{sql}");
    }
    let named = |name: &str| Some(Beyond::Names(Name::of(&name.split('.').collect::<Vec<_>>()).unwrap()));
    for (sql, beyond) in [
        ("UPDATE sales.victim SET n = n + 1 WHERE id = $1", named("sales.victim")),
        ("UPDATE victim SET n = 1", named("victim")),
        ("UPDATE v SET n = 1", named("v")),
        ("UPDATE items SET n = 1", named("items")),
        ("WITH x AS (UPDATE sales.victim SET n = 1 RETURNING id) SELECT * FROM x", named("sales.victim")),
        ("INSERT INTO public.orders SELECT 1", named("public.orders")),
        ("DELETE FROM ONLY sales.victim", named("sales.victim")),
        ("MERGE INTO sales.victim USING orders ON true WHEN MATCHED THEN DELETE", named("sales.victim")),
        ("SELECT * INTO mine FROM orders", Some(Beyond::Anything)),
        ("SELECT 1 AS insert INTO public.mine", Some(Beyond::Anything)),
        ("SELECT insert INTO public.mine FROM orders", named("public.mine")),
        ("DROP TABLE orders", Some(Beyond::Anything)),
        ("CREATE TABLE mine (id int)", Some(Beyond::Anything)),
        ("TRUNCATE orders CASCADE", Some(Beyond::Anything)),
    ] {
        assert_eq!(within(sql).beyond, beyond, "{sql}");
    }
    assert!(within("SELECT * FROM sales.victim FOR NO KEY UPDATE OF victim SKIP LOCKED").locks);
    assert!(within("SELECT * FROM orders FOR KEY SHARE").locks);
    assert!(!within("SELECT share FROM orders").locks);
}

#[test]
fn names_are_those_that_a_server_can_look_up() {
    let reading = reach_unordered(
        "SELECT sales.f(o.total), \"G\" (1), (o).rich, nextval('orders'), nextval('sales.s'), nextval('orders' || 'x') FROM sales.v AS o",
        &known(),
    );
    let names = |names: &BTreeSet<Name>| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(names(&reading.calls), "G nextval sales.f");
    assert_eq!(reading.attributes.iter().map(String::as_str).collect::<Vec<_>>(), ["rich", "total", "v"]);
    assert!(names(&reading.names).contains("sales.v"));
    assert!(!reach_unordered("SELECT nextval('orders')", &known()).calls.iter().any(|name| name.name == "nextval"));
}
