//! Advice on plans, with and without the statement's text and the catalog.

pub(crate) mod conditions;
pub(crate) mod order;

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    advice::parse,
    catalog::{ColumnFacts, IndexFacts, IndexKey as ExistingKey, TableFacts, Tables},
    findings::{ClassPlan, Examined},
    plan::Plan,
};

/// A column with what the planner knows of it: distinct values, share of NULLs.
fn column(name: &str, type_name: &str, n_distinct: f64, null_share: f64) -> ColumnFacts {
    ColumnFacts {
        name: name.into(),
        type_name: type_name.into(),
        n_distinct: Some(n_distinct),
        null_share: Some(null_share),
        width: Some(8.0),
        ..ColumnFacts::default()
    }
}

fn existing(name: &str, keys: &[&str]) -> IndexFacts {
    let key = |key: &&str| {
        let (name, descending) = key.strip_suffix(" DESC").map_or((*key, false), |name| (name, true));
        ExistingKey { expression: name.into(), descending, nulls_first: descending, ..ExistingKey::default() }
    };
    IndexFacts {
        name: name.into(),
        method: "btree".into(),
        keys: keys.iter().map(key).collect(),
        ..IndexFacts::default()
    }
}

/// Orders: 1 000 000 rows, a few of them open, most of them not deleted.
fn orders() -> TableFacts {
    let mut status = column("status", "character varying(20)", 5.0, 0.0);
    status.common = vec![("paid".into(), 0.97), ("open".into(), 0.01), ("lost".into(), 0.01)];
    let mut created = column("created_at", "timestamp with time zone", -0.9, 0.0);
    created.bounds = Some(("2024-01-01 00:00:00+00".into(), "2026-12-31 23:59:59+00".into()));
    let mut body = column("body", "text", -1.0, 0.0);
    body.width = Some(1_500.0);
    let zip = ColumnFacts { base_type: "text".into(), ..column("zip", "zip", -0.5, 0.0) };
    let stay = ColumnFacts { range: true, ..column("stay", "daterange", -1.0, 0.0) };
    let mut urgent = column("urgent", "boolean", 2.0, 0.0);
    urgent.common = vec![("f".into(), 0.99), ("t".into(), 0.01)];
    TableFacts {
        schema: "shop".into(),
        name: "orders".into(),
        rows: 1_000_000.0,
        pages: 10_000,
        all_visible_pages: 10_000,
        columns: vec![
            column("id", "bigint", -1.0, 0.0),
            column("customer_id", "bigint", 50_000.0, 0.0),
            column("shop_id", "integer", 200.0, 0.0),
            status,
            urgent,
            column("total", "numeric(10,2)", 5_000.0, 0.0),
            created,
            body,
            zip,
            stay,
            column("ip", "inet", -0.5, 0.0),
            column("day", "timestamp without time zone", 365.0, 0.0),
            column("deleted_at", "timestamp with time zone", 900.0, 0.9),
            column("email", "text", -0.5, 0.0),
            column("code", "character varying(8)", -0.5, 0.0),
            column("tags", "text[]", 1_000.0, 0.0),
            column("doc", "jsonb", -1.0, 0.0),
            column("search", "tsvector", -1.0, 0.0),
            column("Order", "integer", 70_000.0, 0.0),
        ],
        indexes: vec![IndexFacts { unique: true, primary: true, ..existing("orders_pkey", &["id"]) }],
        ..TableFacts::default()
    }
}

/// A scan of `orders o` that kept 100 of 1 000 000 rows.
fn scan(filter: &str) -> Json {
    json!({"Node Type": "Seq Scan", "Schema": "shop", "Relation Name": "orders", "Alias": "o", "Startup Cost": 0, "Total Cost": 9,
           "Plan Rows": 100, "Plan Width": 8, "Actual Rows": 100, "Actual Loops": 1, "Actual Startup Time": 1, "Actual Total Time": 100,
           "Filter": filter, "Rows Removed by Filter": 999_900})
}

fn over(node_type: &str, extra: Json, children: Vec<Json>) -> Json {
    let mut node = json!({"Node Type": node_type, "Plan Rows": 10, "Plan Width": 8, "Actual Rows": 10, "Actual Loops": 1,
                          "Actual Startup Time": 100, "Actual Total Time": 100});
    node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    node["Plans"] = children.into();
    node
}

fn sorted(keys: &[&str], below: Json) -> Json {
    over(
        "Limit",
        json!({}),
        vec![over("Sort", json!({"Sort Key": keys, "Sort Method": "top-N heapsort"}), vec![below])],
    )
}

/// The advice for the first scan of `orders`.
fn advise(sql: Option<&str>, tables: &Tables, plan: &Json) -> Option<IndexAdvice> {
    let plan = Plan::from_json(&json!([{"Plan": plan, "Execution Time": 100}])).unwrap();
    let at = plan.nodes().iter().position(|node| node.relation.as_deref() == Some("orders")).unwrap();
    let plans = [ClassPlan { class: String::new(), plan }];
    let examined = Examined { name: None, sql, plans: &plans, tables, executions: None };
    index_for(&Planned::new(&plans[0].plan, examined.sql, examined.tables), at)
}

fn statement_of(sql: &str, plan: &Json) -> Option<String> {
    let tables = Tables { tables: vec![orders()] };
    advise(Some(sql), &tables, plan).map(|advice| advice.statements().join("; "))
}

/// What is advised for a filter, after `CREATE INDEX CONCURRENTLY`.
fn of(sql: &str, filter: &str) -> String {
    match statement_of(sql, &scan(filter)) {
        Some(statement) => statement.replace("CREATE INDEX CONCURRENTLY ", ""),
        None => "-".to_owned(),
    }
}

#[test]
fn what_is_there_already_is_not_advised() {
    let advised = |index: IndexFacts| {
        let mut table = orders();
        table.indexes.push(index);
        let plan = sorted(&["o.created_at DESC"], scan("((o.shop_id = 1) AND (o.customer_id = 42))"));
        let sql = "SELECT * FROM orders o WHERE shop_id = $1 AND customer_id = $2 ORDER BY created_at DESC LIMIT 5";
        advise(Some(sql), &Tables { tables: vec![table] }, &plan)
    };
    // As it is, with its lookups the other way round, read backward, and with more behind.
    for keys in [
        &["customer_id", "shop_id", "created_at DESC"][..],
        &["shop_id", "customer_id", "created_at DESC"],
        &["shop_id", "customer_id", "created_at"],
        &["shop_id", "customer_id", "created_at", "id"],
    ] {
        assert_eq!(advised(existing("there", keys)), None, "{keys:?}");
    }
    assert_eq!(advised(IndexFacts { unique: true, ..existing("u", &["shop_id", "customer_id"]) }), None);
    // Of other rows, other keys, another method.
    for other in [
        IndexFacts {
            predicate: Some("(total > 5)".into()),
            ..existing("p", &["customer_id", "shop_id", "created_at DESC"])
        },
        IndexFacts { method: "hash".into(), ..existing("h", &["customer_id"]) },
        existing("x", &["customer_id", "created_at", "shop_id"]),
    ] {
        assert!(advised(other).is_some());
    }
    let advice = advised(existing("short", &["customer_id", "shop_id"])).unwrap();
    insta::assert_snapshot!(advice.why, @"give orders an index on (customer_id, shop_id, created_at DESC): it finds the rows by customer_id, shop_id and has them in the order of created_at DESC; the index short can go then");
    assert!(
        advised(existing("orders_customer_id_shop_id_created_at_idx", &["total"]))
            .unwrap()
            .statement
            .contains("_idx1 ON")
    );
}

#[test]
fn an_expression_and_a_predicate_that_are_there_are_recognised() {
    let there = |index: IndexFacts, filter: &str, sql: &str| {
        let mut table = orders();
        table.indexes.push(index);
        advise(Some(sql), &Tables { tables: vec![table] }, &scan(filter)).is_none()
    };
    let key =
        |expression: &str| ExistingKey { expression: expression.into(), is_expression: true, ..ExistingKey::default() };
    let lower = IndexFacts { keys: vec![key("lower((code)::text)")], ..existing("l", &[]) };
    assert!(there(lower, "(lower((o.code)::text) = 'a'::text)", "SELECT * FROM orders o WHERE lower(code) = $1"));
    let open = IndexFacts { predicate: Some("((status)::text = 'open'::text)".into()), ..existing("o", &["shop_id"]) };
    let sql = "SELECT * FROM orders o WHERE status = 'open' AND shop_id = $1";
    // An index of all rows is read past those that are not open.
    assert!(!there(existing("all", &["shop_id"]), "(((o.status)::text = 'open'::text) AND (o.shop_id = 3))", sql));
    let kept = "((o.deleted_at IS NULL) AND (o.shop_id = 3))";
    assert!(there(
        existing("all", &["shop_id"]),
        kept,
        "SELECT * FROM orders o WHERE deleted_at IS NULL AND shop_id = $1"
    ));
    assert!(there(open, "(((o.status)::text = 'open'::text) AND (o.shop_id = 3))", sql));
}

#[test]
fn columns_are_included_where_many_rows_are_fetched_for_few_narrow_ones() {
    let mut many = scan("(o.shop_id = 42)");
    (many["Actual Rows"], many["Rows Removed by Filter"]) = (5_000.into(), 995_000.into());
    let found = |sql: &str| statement_of(sql, &many).unwrap();
    assert_eq!(
        found("SELECT sum(total) FROM orders o WHERE shop_id = $1"),
        "CREATE INDEX CONCURRENTLY orders_shop_id_total_idx ON orders (shop_id) INCLUDE (total)"
    );
    assert!(!found("SELECT * FROM orders o WHERE shop_id = $1").contains("INCLUDE"));
    assert!(!found("SELECT o.*, 1 FROM orders o WHERE shop_id = $1").contains("INCLUDE"));
    assert!(!found("SELECT id, total, day FROM orders o WHERE shop_id = $1").contains("INCLUDE"));
    assert!(!found("SELECT count(*) FROM orders o WHERE shop_id = $1").contains("INCLUDE"));
    let few = of("SELECT total FROM orders o WHERE shop_id = $1", "(o.shop_id = 42)");
    assert!(!few.contains("INCLUDE"), "{few}");
}

#[test]
fn a_partition_is_served_by_an_index_of_its_parent() {
    let mut parent = orders();
    parent.partitioned = true;
    let part =
        TableFacts { name: "orders_2025".into(), partition_of: Some(("shop".into(), "orders".into())), ..orders() };
    let mut node = scan("(o_1.customer_id = 42)");
    (node["Relation Name"], node["Alias"]) = ("orders_2025".into(), "o_1".into());
    let plan = sorted(&["o.created_at DESC"], over("Append", json!({}), vec![node]));
    let plan = Plan::from_json(&json!([{"Plan": plan, "Execution Time": 100}])).unwrap();
    let plans = [ClassPlan { class: String::new(), plan }];
    let tables = Tables { tables: vec![part, parent] };
    let sql = Some("SELECT * FROM orders o WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 10");
    let examined = Examined { name: None, sql, plans: &plans, tables: &tables, executions: None };
    let advice = index_for(&Planned::new(&plans[0].plan, examined.sql, examined.tables), 0).unwrap();
    assert_eq!(
        advice.statement,
        "CREATE INDEX orders_customer_id_created_at_idx ON orders (customer_id, created_at DESC)"
    );
    assert!(advice.why.contains("cannot be indexed concurrently"), "{}", advice.why);
}

#[test]
fn a_chunk_is_served_by_an_index_of_its_hypertable() {
    let hypertable = TableFacts { hypertable: true, ..orders() };
    let chunk = TableFacts {
        schema: "_timescaledb_internal".into(),
        name: "_hyper_1_7_chunk".into(),
        heir_of: Some(("shop".into(), "orders".into())),
        ..orders()
    };
    let mut node = scan("(_hyper_1_7_chunk.customer_id = 42)");
    (node["Relation Name"], node["Alias"]) = ("_hyper_1_7_chunk".into(), "_hyper_1_7_chunk".into());
    node["Schema"] = "_timescaledb_internal".into();
    let advised = |tables: Vec<TableFacts>, above: Json| {
        let plan = Plan::from_json(&json!([{"Plan": above, "Execution Time": 100}])).unwrap();
        let plans = [ClassPlan { class: String::new(), plan }];
        let tables = Tables { tables };
        let examined = Examined { name: None, sql: None, plans: &plans, tables: &tables, executions: None };
        index_for(&Planned::new(&plans[0].plan, examined.sql, examined.tables), 1)
    };
    let known = advised(vec![chunk, hypertable], over("Append", json!({}), vec![node.clone()])).unwrap();
    assert_eq!(known.statement, "CREATE INDEX orders_customer_id_idx ON shop.orders (customer_id)");
    assert!(known.why.contains("on the hypertable"), "{}", known.why);
    // Without the catalog what reads the chunks names it, or nothing does.
    let custom = json!({"Custom Plan Provider": "ChunkAppend", "Relation Name": "orders"});
    let named = advised(Vec::new(), over("Custom Scan", custom, vec![node.clone()])).unwrap();
    assert_eq!(named.statement, "CREATE INDEX orders_customer_id_idx ON orders (customer_id)");
    assert_eq!(advised(Vec::new(), over("Append", json!({}), vec![node])), None);
}

/// The advice for the bundled scenario is its own fix, by the plans of real servers.
#[test]
fn the_advice_for_the_events_scenario_is_its_fix() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let fix = fs::read_to_string(root.join("sql/events/fix.up.sql")).unwrap();
    let sql = "SELECT id, user_id, created_at FROM events WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20";
    assert!(fs::read_to_string(root.join("scenarios/events.toml")).unwrap().contains(sql));
    let events = TableFacts {
        schema: "latclinic_events".into(),
        name: "events".into(),
        rows: 1_000_000.0,
        pages: 14_706,
        all_visible_pages: 14_706,
        columns: vec![
            column("id", "bigint", -1.0, 0.0),
            column("user_id", "bigint", 8_000.0, 0.0),
            column("created_at", "timestamp with time zone", -0.99, 0.0),
            column("kind", "text", 4.0, 0.0),
            column("payload", "jsonb", -1.0, 0.0),
        ],
        indexes: vec![IndexFacts { unique: true, primary: true, ..existing("events_pkey", &["id"]) }],
        ..TableFacts::default()
    };
    for tables in [Tables::default(), Tables { tables: vec![events] }] {
        for major in [14, 15, 16, 17, 18] {
            let path = root.join(format!("tests/fixtures/plans/{major}/seq_scan_sort.json"));
            let plan = Plan::parse(&fs::read_to_string(path).unwrap()).unwrap();
            let plans = [ClassPlan { class: "typical".into(), plan }];
            let examined = Examined { name: None, sql: Some(sql), plans: &plans, tables: &tables, executions: None };
            let planned = Planned::new(&plans[0].plan, examined.sql, examined.tables);
            for at in 0..plans[0].plan.nodes().len() {
                assert_eq!(format!("{};\n", index_for(&planned, at).unwrap().statement), fix);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_a_plan_and_a_statement_say_is_read_or_passed_over(
        sql in "(SELECT|select \\*|WITH x AS|\\PC{0,10}) .{0,40}", filter in "\\PC{0,40}", key in "\\PC{0,20}",
    ) {
        let _ = statement_of(&sql, &sorted(&[&key], scan(&filter)));
        let _ = advise(None, &Tables::default(), &sorted(&[&key], scan(&filter)));
    }

    /// What is advised can be parsed, and is not advised once it is there.
    #[test]
    fn what_is_advised_is_sql_and_is_then_there(
        picked in prop::sample::subsequence(
            vec![
                "(o.customer_id = 42)", "(o.shop_id = 3)", "((o.status)::text = 'open'::text)", "(o.created_at > now())", "(o.deleted_at IS NULL)",
                "(o.total < 5)", "(o.\"Order\" = 4)", "(o.email ~~ 'a%'::text)", "o.urgent",
            ],
            1..5,
        ),
        keys in prop::sample::subsequence(vec!["o.created_at DESC", "o.total", "o.id DESC NULLS LAST"], 0..3),
    ) {
        let filter = format!("({})", picked.join(" AND "));
        let plan = if keys.is_empty() { scan(&filter) } else { sorted(&keys, scan(&filter)) };
        let sql = format!("SELECT * FROM orders o WHERE {}", filter.replace("::text", "").replace("~~", "LIKE"));
        if let Some(statement) = statement_of(&sql, &plan) {
            prop_assert!(parse::statement(&statement).is_some(), "{}", statement);
        }
    }
}
