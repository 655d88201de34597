//! What the catalog says of tables, on a real server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod own_server;

use latclinic::{
    catalog::{ColumnFacts, IndexFacts, IndexKey, Referring, TableFacts, Tables},
    pg::{self, Connector, UserSession},
    plan::Plan,
};
use own_server::OwnServer;
use tokio_postgres::SimpleQueryMessage;

const SETUP: &str = r#"
    CREATE SCHEMA shop;
    SET search_path = shop;
    CREATE TABLE "Orders" (
        id bigint PRIMARY KEY, state text COLLATE "C" NOT NULL, customer_id int, note text, gone int, price numeric(10, 2)
    );
    ALTER TABLE "Orders" DROP COLUMN gone;
    INSERT INTO "Orders" SELECT n, CASE n % 100 WHEN 0 THEN 'open' ELSE 'do"ne,' END, n % 50, repeat('x', 200), 1 FROM generate_series(1, 1000) n;
    CREATE INDEX orders_customer_idx ON "Orders" (customer_id DESC, state NULLS FIRST) INCLUDE (price) WHERE state <> 'gone';
    CREATE INDEX orders_lower_idx ON "Orders" (lower(note) text_pattern_ops, id);
    CREATE INDEX orders_gin_idx ON "Orders" USING gin (to_tsvector('english', note));
    CREATE STATISTICS orders_stats ON state, customer_id FROM "Orders";
    CREATE INDEX broken ON "Orders" (price);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
    VACUUM ANALYZE "Orders";
    CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE parts_all PARTITION OF parts DEFAULT;
    CREATE INDEX parts_id_idx ON parts (id);
    INSERT INTO parts SELECT n, '2025-01-01' FROM generate_series(1, 100) n;
    ANALYZE parts;
    CREATE TABLE lines (
        id int, "order" bigint CONSTRAINT lines_order REFERENCES "Orders", twin int, part int, UNIQUE (twin, part),
        FOREIGN KEY (part, twin) REFERENCES lines (twin, part)
    );
    CREATE INDEX lines_order_idx ON lines ("order") WHERE id > 5;
    CREATE INDEX lines_last_idx ON lines (id, "order");
    CREATE ROLE stranger LOGIN;
    CREATE TABLE hidden (id int);
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
"#;

/// An index in a line.
fn in_short(index: &IndexFacts) -> String {
    let key = |key: &IndexKey| {
        let mut text = if key.is_expression { format!("({})", key.expression) } else { key.expression.clone() };
        text.extend(key.operator_class.iter().map(|class| format!(" {class}")));
        text.push_str(if key.descending { " DESC" } else { "" });
        text.push_str(if key.nulls_first { " NULLS FIRST" } else { "" });
        text
    };
    let keys: Vec<_> = index.keys.iter().map(key).collect();
    let kind = if index.primary { ", primary" } else { "" };
    let mut text = format!("{} {}{kind}: {}", index.name, index.method, keys.join(", "));
    if !index.include.is_empty() {
        text.push_str(&format!("; include {}", index.include.join(", ")));
    }
    text.extend(index.predicate.iter().map(|predicate| format!("; where {predicate}")));
    text
}

/// The catalog on the tables of these statements.
async fn tables(session: &UserSession, statements: &[&str]) -> Tables {
    let mut plans = Vec::new();
    for statement in statements {
        let messages = session.simple_query(&format!("EXPLAIN (VERBOSE, FORMAT JSON) {statement}")).await.unwrap();
        let json = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        plans.push(Plan::parse(json.unwrap()).unwrap());
    }
    pg::tables(session, &plans).await.unwrap()
}

fn column<'t>(table: &'t TableFacts, name: &str) -> &'t ColumnFacts {
    table.column(name).unwrap()
}

#[tokio::test]
async fn what_the_catalog_says() {
    let server = OwnServer::start();
    let session = UserSession::open(&server.connector(), "test").await.unwrap();
    for statement in SETUP.split(";\n") {
        session.run(statement).await.unwrap();
    }
    let statements = ["SELECT o.*, p.* FROM \"Orders\" o JOIN parts p ON p.id = o.customer_id", "DELETE FROM hidden"];
    let found = loop {
        let found = tables(&session, &statements).await;
        // PostgreSQL 14 tells a moment later.
        if found.find(None, "Orders").unwrap().vacuumed_at.is_some() {
            break found;
        }
    };
    let names: Vec<_> = found.tables.iter().map(|table| format!("{}.{}", table.schema, table.name)).collect();
    assert_eq!(names, ["shop.Orders", "shop.hidden", "shop.parts", "shop.parts_all"]);

    let orders = found.find(Some("shop"), "Orders").unwrap();
    assert_eq!((orders.rows, orders.modified_since_analyze, orders.dead_rows), (1000.0, 0, 0));
    assert!(orders.pages > 10 && orders.all_visible_pages == orders.pages);
    assert!(!orders.row_security && orders.vacuumed_at.is_some());
    let columns: Vec<_> = orders.columns.iter().map(|column| (&*column.name, &*column.type_name)).collect();
    let types =
        [("id", "bigint"), ("state", "text"), ("customer_id", "integer"), ("note", "text"), ("price", "numeric(10,2)")];
    assert_eq!(columns, types);
    let state = column(orders, "state");
    assert_eq!(
        state.common,
        [("do\"ne,".to_owned(), 0.99), ("open".to_owned(), 0.01)]
            .map(|(value, share)| (value, f64::from(share as f32)))
    );
    assert_eq!((state.not_null, state.bytewise, state.n_distinct), (true, true, Some(2.0)));
    assert_eq!(column(orders, "note").common, []);
    assert_eq!(column(orders, "price").null_share, Some(0.0));
    assert_eq!(orders.extended_statistics, [["state", "customer_id"]]);

    let indexes: Vec<_> = orders.indexes.iter().map(in_short).collect();
    insta::assert_snapshot!(indexes.join("\n"), @"
    Orders_pkey btree, primary: id
    orders_customer_idx btree: customer_id DESC NULLS FIRST, state NULLS FIRST; include price; where (state <> 'gone'::text)
    orders_gin_idx gin: (to_tsvector('english'::regconfig, note))
    orders_lower_idx btree: (lower(note)) text_pattern_ops, id
    ");

    let open = Referring {
        constraint: "lines_order".to_owned(),
        schema: "shop".to_owned(),
        table: "lines".to_owned(),
        columns: vec!["order".to_owned()],
        ..Referring::default()
    };
    assert_eq!(orders.referring("lines_order"), Some(&open), "a partial index and one of later columns do not serve");
    session.run("CREATE INDEX lines_all_idx ON lines (\"order\", id)").await.unwrap();
    let again = tables(&session, &["SELECT * FROM \"Orders\", lines"]).await;
    let index = |table: &str| again.find(None, table).unwrap().referred_by[0].index.clone();
    assert_eq!(index("Orders").as_deref(), Some("lines_all_idx"));
    assert_eq!(index("lines").as_deref(), Some("lines_twin_part_key"), "in any order");

    let parts = found.find(None, "parts").unwrap();
    assert!(parts.partitioned && parts.partition_of.is_none());
    assert_eq!((parts.rows, parts.indexes[0].name.as_str()), (100.0, "parts_id_idx"));
    assert_eq!(column(parts, "id").n_distinct, Some(-1.0));
    let part = found.find(None, "parts_all").unwrap();
    assert_eq!(part.partition_of, Some(("shop".to_owned(), "parts".to_owned())));
    assert!(found.find(None, "hidden").unwrap().row_security);

    // A role that may read nothing learns what the catalog tells everybody.
    let running = server.lease.running();
    let stranger = Connector::managed(&running.socket_dir, running.port, "stranger", server.connector().database());
    let stranger = UserSession::open(&stranger, "test").await.unwrap();
    let json = r#"[{"Plan": {"Node Type": "Seq Scan", "Schema": "shop", "Relation Name": "Orders", "Alias": "o", "Plan Rows": 1, "Plan Width": 1}}]"#;
    let plan = Plan::parse(json).unwrap();
    let seen = pg::tables(&stranger, [&plan]).await.unwrap();
    let orders = &seen.tables[0];
    assert_eq!((orders.rows, orders.indexes.len(), orders.columns.len()), (1000.0, 4, 5));
    assert_eq!((column(orders, "state").n_distinct, column(orders, "state").common.len()), (None, 0));
}

#[tokio::test]
async fn expressions_of_indexes_read_as_in_the_plans_of_their_session() {
    let server = OwnServer::start();
    let session = UserSession::open(&server.connector(), "test").await.unwrap();
    session
        .run(
            "CREATE SCHEMA shop; SET search_path = shop;
             CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TABLE t (mood mood, email text);
             CREATE FUNCTION plain(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT pg_catalog.lower($1)';
             CREATE INDEX t_plain ON t (plain(email)) WHERE mood = 'glad'",
        )
        .await
        .unwrap();
    let of_index = async |path: &str| {
        session.run(&format!("SET search_path = {path}")).await.unwrap();
        let found = tables(&session, &["SELECT * FROM shop.t"]).await;
        let index = in_short(&found.tables[0].indexes[0]);
        (index, column(&found.tables[0], "mood").type_name.clone())
    };
    let hidden = "t_plain btree: (shop.plain(email)); where (mood = 'glad'::shop.mood)";
    assert_eq!(
        of_index("shop").await,
        ("t_plain btree: (plain(email)); where (mood = 'glad'::mood)".into(), "mood".into())
    );
    assert_eq!(of_index("public").await, (hidden.into(), "shop.mood".into()));
    assert_eq!(session.path().await.unwrap(), "public", "nothing of the user's session is changed");
    let nothing = Plan::parse(r#"[{"Plan": {"Node Type": "Result", "Plan Rows": 1, "Plan Width": 1}}]"#).unwrap();
    assert_eq!(pg::tables(&session, [&nothing]).await.unwrap(), Tables::default());
}

#[tokio::test]
async fn rows_that_were_counted_late_have_not_changed_since_the_analyze_that_saw_them() {
    let server = OwnServer::start();
    let loader = UserSession::open(&server.connector(), "test").await.unwrap();
    // In one breath: a session hands in what it counted once a second, and at its end.
    for number in 0..6 {
        loader.run(&format!("CREATE TABLE loaded_{number} (id int)")).await.unwrap();
        loader.run(&format!("INSERT INTO loaded_{number} SELECT generate_series(1, 20000)")).await.unwrap();
        loader.run(&format!("VACUUM ANALYZE loaded_{number}")).await.unwrap();
    }
    drop(loader);
    let session = UserSession::open(&server.connector(), "test").await.unwrap();
    let text = async |sql: &str| {
        let messages = session.simple_query(sql).await.unwrap();
        messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
    };
    let counted = "SELECT count(*) FROM pg_stat_user_tables WHERE n_tup_ins = 20000";
    while text(counted).await.as_deref() != Some("6") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for number in 0..6 {
        let found = tables(&session, &[&format!("SELECT * FROM loaded_{number}")]).await;
        assert_eq!(found.tables[0].modified_since_analyze, 0, "{number}");
    }
    // Rows that came later take room.
    let writer = UserSession::open(&server.connector(), "test").await.unwrap();
    writer.run("INSERT INTO loaded_0 SELECT generate_series(1, 20000)").await.unwrap();
    writer.run("UPDATE loaded_1 SET id = id + 1").await.unwrap();
    drop(writer);
    let changed = "SELECT count(*) FROM pg_stat_user_tables WHERE n_tup_ins = 40000 OR n_tup_upd = 20000";
    while text(changed).await.as_deref() != Some("2") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for number in 0..2 {
        let found = tables(&session, &[&format!("SELECT * FROM loaded_{number}")]).await;
        assert!(found.tables[0].modified_since_analyze >= 20_000, "{number}");
    }
}
