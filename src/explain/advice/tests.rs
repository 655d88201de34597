//! Advice on plans, with and without the statement's text and the catalog.

use std::{fs, path::PathBuf};

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value as Json, json};

use super::*;
use crate::explain::{
    ClassPlan, ColumnFacts, Examined, IndexFacts, Plan, TableFacts, Tables, tables::IndexKey as ExistingKey,
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
            column("created_at", "timestamp with time zone", -0.9, 0.0),
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
    index_for(&Case { class: "", plan: &plans[0].plan, statement: &examined }, at)
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

#[rstest]
#[case("customer_id = $1", "(o.customer_id = 42)", "orders_customer_id_idx ON orders (customer_id)")]
#[case("$1 = customer_id", "(42 = o.customer_id)", "orders_customer_id_idx ON orders (customer_id)")]
#[case(
    "shop_id = $1 AND customer_id = $2",
    "((o.shop_id = 4) AND (o.customer_id = 42))",
    "orders_customer_id_shop_id_idx ON orders (customer_id, shop_id)"
)]
#[case(
    "shop_id = $1 AND created_at > $2",
    "((o.created_at > '2025-01-01 00:00:00+00'::timestamp with time zone) AND (o.shop_id = 4))",
    "orders_shop_id_created_at_idx ON orders (shop_id, created_at)"
)]
#[case(
    "shop_id = $1 AND created_at > now() - interval '1 day'",
    "((o.shop_id = 4) AND (o.created_at > (now() - '1 day'::interval)))",
    "orders_shop_id_created_at_idx ON orders (shop_id, created_at)"
)]
#[case(
    "customer_id = ANY ($1)",
    "(o.customer_id = ANY ('{1,2}'::bigint[]))",
    "orders_customer_id_idx ON orders (customer_id)"
)]
#[case(
    "customer_id IN ($1, $2) AND created_at < $3",
    "((o.customer_id = ANY ('{1,2}'::bigint[])) AND (o.created_at < '2025-01-01'::timestamptz))",
    "orders_customer_id_created_at_idx ON orders (customer_id, created_at)"
)]
#[case("code = $1", "((o.code)::text = '42'::text)", "orders_code_idx ON orders (code)")]
#[case("lower(email) = $1", "(lower(o.email) = 'a@b'::text)", "orders_lower_idx ON orders (lower(email))")]
#[case("lower(code) = $1", "(lower((o.code)::text) = 'a'::text)", "orders_lower_idx ON orders (lower(code))")]
#[case(
    "doc ->> 'page' = $1",
    "((o.doc ->> 'page'::text) = '/x'::text)",
    "orders_expr_idx ON orders ((doc ->> 'page'))"
)]
#[case(
    "(doc ->> 'n')::int = $1",
    "(((o.doc ->> 'n'::text))::integer = 5)",
    "orders_expr_idx ON orders (((doc ->> 'n')::integer))"
)]
#[case(
    "date_trunc('day', day) = $1",
    "(date_trunc('day'::text, o.day) = '2025-01-01 00:00:00'::timestamp without time zone)",
    "orders_date_trunc_idx ON orders (date_trunc('day', day))"
)]
#[case("email LIKE 'abc%'", "(o.email ~~ 'abc%'::text)", "orders_email_idx ON orders (email text_pattern_ops)")]
#[case(
    "email LIKE '%abc%'",
    "(o.email ~~ '%abc%'::text)",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm; orders_email_idx ON orders USING gin (email gin_trgm_ops)"
)]
#[case(
    "code ILIKE 'abc%'",
    "((o.code)::text ~~* 'abc%'::text)",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm; orders_code_idx ON orders USING gin (code gin_trgm_ops)"
)]
#[case("doc @> $1", "(o.doc @> '{\"a\": 1}'::jsonb)", "orders_doc_idx ON orders USING gin (doc jsonb_path_ops)")]
#[case("tags && $1", "(o.tags && '{a}'::text[])", "orders_tags_idx ON orders USING gin (tags)")]
#[case(
    "search @@ to_tsquery($1)",
    "(o.search @@ to_tsquery('a'::text))",
    "orders_search_idx ON orders USING gin (search)"
)]
#[case(
    "to_tsvector('english', email) @@ to_tsquery($1)",
    "(to_tsvector('english'::regconfig, o.email) @@ to_tsquery('a'::text))",
    "orders_to_tsvector_idx ON orders USING gin (to_tsvector('english'::regconfig, email))"
)]
#[case("status = 'open'", "((o.status)::text = 'open'::text)", "orders_id_idx ON orders (id) WHERE status = 'open'")]
#[case(
    "status = 'open' AND shop_id = $1",
    "(((o.status)::text = 'open'::text) AND (o.shop_id = 3))",
    "orders_shop_id_idx ON orders (shop_id) WHERE status = 'open'"
)]
#[case(
    "status = $1 AND shop_id = $2",
    "(((o.status)::text = 'open'::text) AND (o.shop_id = 3))",
    "orders_shop_id_status_idx ON orders (shop_id, status)"
)]
#[case("customer_id = 42", "(o.customer_id = 42)", "orders_customer_id_idx ON orders (customer_id)")]
#[case("urgent", "o.urgent", "orders_id_idx ON orders (id) WHERE urgent")]
#[case(
    "customer_id = $1 AND NOT urgent",
    "((NOT o.urgent) AND (o.customer_id = 42))",
    "orders_customer_id_idx ON orders (customer_id)"
)]
#[case(
    "customer_id = $1 AND deleted_at IS NULL",
    "((o.deleted_at IS NULL) AND (o.customer_id = 42))",
    "orders_customer_id_idx ON orders (customer_id) WHERE deleted_at IS NULL"
)]
#[case(
    "deleted_at IS NOT NULL AND shop_id = $1",
    "((o.deleted_at IS NOT NULL) AND (o.shop_id = 42))",
    "orders_shop_id_idx ON orders (shop_id) WHERE deleted_at IS NOT NULL"
)]
#[case("\"Order\" = $1", "(o.\"Order\" = 42)", "\"orders_Order_idx\" ON orders (\"Order\")")]
#[case(
    "(created_at, id) < ($1, $2)",
    "(ROW(o.created_at, o.id) < ROW('2025-01-01 00:00:00+00'::timestamp with time zone, '5'::bigint))",
    "orders_created_at_idx ON orders (created_at)"
)]
#[case(
    "customer_id = (SELECT max(id) FROM customers)",
    "(o.customer_id = (InitPlan 1).col1)",
    "orders_customer_id_idx ON orders (customer_id)"
)]
#[case(
    "customer_id = (SELECT max(id) FROM customers)",
    "(o.customer_id = $0)",
    "orders_customer_id_idx ON orders (customer_id)"
)]
fn the_filter_says_which_index(#[case] condition: &str, #[case] filter: &str, #[case] expected: &str) {
    assert_eq!(of(&format!("SELECT * FROM orders o WHERE {condition}"), filter), expected);
}

#[rstest]
#[case::or("((o.customer_id = 1) OR (o.shop_id = 2))")]
#[case::implicit_cast("((o.customer_id)::numeric = 42.0)")]
#[case::explicit_cast("((o.created_at)::date = '2025-01-01'::date)")]
#[case::cast_to_text("((o.customer_id)::text = 'x'::text)")]
#[case::not_equal("(o.customer_id <> 42)")]
#[case::not_in("(o.customer_id <> ALL ('{1,2}'::bigint[]))")]
#[case::volatile("((o.total)::double precision > random())")]
#[case::unknown_function("(o.customer_id = my_function(42))")]
#[case::function_of_its_own("(my_function(o.customer_id) = 42)")]
#[case::time_zone("(date_trunc('day'::text, o.created_at) = '2025-01-01 00:00:00+00'::timestamp with time zone)")]
#[case::of_the_same_row("(o.customer_id = o.shop_id)")]
#[case::arithmetic_with_the_row("(o.customer_id = (o.shop_id + 1))")]
#[case::subplan("(hashed SubPlan 1)")]
#[case::frequent("((o.status)::text = 'paid'::text)")]
#[case::mostly_true("(NOT o.urgent)")]
#[case::no_trigram("(o.email ~~ '%ab%'::text)")]
#[case::only_wildcards("(o.email ~~ '%'::text)")]
#[case::array_holds("('a'::text = ANY (o.tags))")]
#[case::system_column("(o.ctid = '(0,1)'::tid)")]
#[case::no_such_column("(o.nothing = 42)")]
#[case::primary_key("(o.id = 42)")]
#[case::primary_key_and_more("((o.id = 42) AND (o.customer_id = 1))")]
#[case::collation("(o.email = ('x'::text COLLATE \"de_DE\"))")]
fn where_none_would_serve_there_is_none(#[case] filter: &str) {
    assert_eq!(of("SELECT * FROM orders o WHERE status = 'paid'", filter), "-");
}

#[rstest]
#[case(
    "o.created_at DESC",
    "o.customer_id = 42",
    "orders_customer_id_created_at_idx ON orders (customer_id, created_at DESC)"
)]
#[case(
    "o.created_at DESC NULLS LAST",
    "o.customer_id = 42",
    "orders_customer_id_created_at_idx ON orders (customer_id, created_at DESC NULLS LAST)"
)]
#[case(
    "o.created_at NULLS FIRST",
    "o.customer_id = 42",
    "orders_customer_id_created_at_idx ON orders (customer_id, created_at NULLS FIRST)"
)]
#[case("o.created_at", "o.customer_id = 42", "orders_customer_id_created_at_idx ON orders (customer_id, created_at)")]
#[case("o.code", "o.customer_id = 42", "orders_customer_id_code_idx ON orders (customer_id, code)")]
#[case("((o.code)::text)", "o.customer_id = 42", "orders_customer_id_code_idx ON orders (customer_id, code)")]
#[case("(lower(o.email))", "o.customer_id = 42", "orders_customer_id_lower_idx ON orders (customer_id, lower(email))")]
#[case(
    "o.created_at DESC",
    "(o.status)::text = 'open'::text",
    "orders_created_at_idx ON orders (created_at DESC) WHERE status = 'open'"
)]
#[case(
    "o.created_at DESC",
    "o.created_at > '2025-01-01'::timestamptz",
    "orders_created_at_idx ON orders (created_at DESC)"
)]
#[case(
    "o.created_at DESC",
    "(o.customer_id = 42) AND (o.total > 5)",
    "orders_customer_id_total_idx ON orders (customer_id, total)"
)]
// Values of a list come one after the other.
#[case(
    "o.created_at DESC",
    "o.customer_id = ANY ('{1,2}'::bigint[])",
    "orders_customer_id_idx ON orders (customer_id)"
)]
// Another table's column, or what no index orders by.
#[case("c.name", "o.customer_id = 42", "orders_customer_id_idx ON orders (customer_id)")]
#[case("(random())", "o.customer_id = 42", "orders_customer_id_idx ON orders (customer_id)")]
fn the_order_follows_what_is_looked_up(#[case] key: &str, #[case] filter: &str, #[case] expected: &str) {
    let sql = "SELECT * FROM orders o WHERE status = 'open' ORDER BY 1 LIMIT 10";
    let found = statement_of(sql, &sorted(&[key], scan(&format!("({filter})")))).unwrap_or_default();
    assert_eq!(found.replace("CREATE INDEX CONCURRENTLY ", ""), expected);
}

#[test]
fn an_order_alone_needs_a_limit_and_rows_that_are_kept() {
    let mut whole = scan("");
    whole.as_object_mut().unwrap().remove("Filter");
    whole["Rows Removed by Filter"] = 0.into();
    whole["Actual Rows"] = 1_000_000.into();
    let sql = "SELECT * FROM orders o ORDER BY created_at DESC, id LIMIT 10";
    let limited = statement_of(sql, &sorted(&["o.created_at DESC", "o.id"], whole.clone()));
    assert_eq!(limited.unwrap(), "CREATE INDEX CONCURRENTLY orders_created_at_id_idx ON orders (created_at DESC, id)");
    let all = over("Sort", json!({"Sort Key": ["o.created_at DESC"]}), vec![whole.clone()]);
    assert_eq!(statement_of("SELECT * FROM orders o ORDER BY created_at DESC", &all), None);
    // Aggregates over everything.
    assert_eq!(
        statement_of("SELECT count(*) FROM orders o", &over("Aggregate", json!({"Strategy": "Plain"}), vec![whole])),
        None
    );
    // In order it would read most of the table before it has ten of the few rows.
    let unindexable = sorted(&["o.created_at DESC"], scan("(my_function(o.customer_id) = 1)"));
    assert_eq!(statement_of(sql, &unindexable), None);
}

#[test]
fn an_index_read_in_order_with_most_rows_thrown_away() {
    let mut node = scan("(o.customer_id = 42)");
    node["Node Type"] = "Index Scan".into();
    node["Index Name"] = "orders_created_at_idx".into();
    let sql = "SELECT o.total FROM orders AS o WHERE customer_id = $1 ORDER BY o.created_at DESC LIMIT 10";
    let found = statement_of(sql, &over("Limit", json!({}), vec![node]));
    assert_eq!(
        found.unwrap(),
        "CREATE INDEX CONCURRENTLY orders_customer_id_created_at_idx ON orders (customer_id, created_at DESC)"
    );
}

#[test]
fn joins_are_looked_up_by_their_keys() {
    let outer = json!({"Node Type": "Seq Scan", "Relation Name": "customers", "Alias": "c", "Plan Rows": 5, "Plan Width": 8,
                       "Actual Rows": 5, "Actual Loops": 1, "Parent Relationship": "Outer"});
    let mut inner = scan("((o.status)::text = 'open'::text)");
    inner["Parent Relationship"] = "Inner".into();
    let sql =
        "SELECT c.name, o.total FROM shop.customers c JOIN shop.orders o USING (customer_id) WHERE o.status = 'open'";
    let nested =
        over("Nested Loop", json!({"Join Filter": "(c.customer_id = o.customer_id)"}), vec![outer.clone(), inner]);
    assert_eq!(
        statement_of(sql, &nested).unwrap(),
        "CREATE INDEX CONCURRENTLY orders_customer_id_idx ON shop.orders (customer_id) WHERE status = 'open'"
    );
    let mut probe = scan("");
    probe.as_object_mut().unwrap().remove("Filter");
    probe["Parent Relationship"] = "Outer".into();
    let hashed = over(
        "Hash Join",
        json!({"Hash Cond": "(o.customer_id = c.id)"}),
        vec![probe, over("Hash", json!({}), vec![outer])],
    );
    assert_eq!(
        statement_of("SELECT 1 FROM customers c, orders o WHERE o.customer_id = c.id", &hashed).unwrap(),
        "CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id)"
    );
}

#[rstest]
#[case("UPDATE orders o SET total = 0 WHERE status = 'open'", "(id) WHERE status = 'open'")]
#[case(
    "DELETE FROM orders o USING customers c WHERE c.id = o.customer_id AND o.status = 'open'",
    "(id) WHERE status = 'open'"
)]
#[case("SELECT * FROM (SELECT * FROM orders o WHERE status = 'open') x", "(id) WHERE status = 'open'")]
#[case("WITH x AS (SELECT * FROM orders o WHERE (status) = 'open') SELECT * FROM x", "(id) WHERE status = 'open'")]
#[case(
    "SELECT 1 FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.status = 'open' AND o.customer_id = c.id)",
    "(id) WHERE status = 'open'"
)]
#[case(
    "SELECT * FROM customers WHERE id IN (SELECT customer_id FROM orders AS o WHERE 'open' = status)",
    "(id) WHERE status = 'open'"
)]
#[case(
    "SELECT 1 UNION ALL SELECT total FROM orders o JOIN customers c ON c.id = o.customer_id AND o.status = 'open'",
    "(id) WHERE status = 'open'"
)]
#[case("SELECT * FROM orders WHERE status = 'open'", "(id) WHERE status = 'open'")]
#[case("INSERT INTO log SELECT * FROM orders o WHERE status = 'open'", "(id) WHERE status = 'open'")]
// The value is not said to be a constant.
#[case("SELECT * FROM orders o WHERE status = $1", "(status)")]
#[case("SELECT * FROM orders o WHERE status = coalesce($1, 'open')", "(status)")]
#[case("SELECT * FROM orders o JOIN orders p ON p.status = 'open' WHERE o.status = $1", "(status)")]
#[case("SELECT * FROM my_view", "shop.orders (status)")]
#[case("this is no SQL", "shop.orders (status)")]
fn constants_are_those_of_the_text(#[case] sql: &str, #[case] expected: &str) {
    let found = of(sql, "((o.status)::text = 'open'::text)");
    assert!(found.ends_with(expected), "{found}");
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
    let advice = index_for(&Case { class: "", plan: &plans[0].plan, statement: &examined }, 0).unwrap();
    assert_eq!(
        advice.statement,
        "CREATE INDEX orders_customer_id_created_at_idx ON orders (customer_id, created_at DESC)"
    );
    assert!(advice.why.contains("cannot be indexed concurrently"), "{}", advice.why);
}

#[rstest]
#[case("(customer_id = 42)", Some("orders_customer_id_idx ON shop.orders (customer_id)"))]
#[case("((status)::text = 'open'::text)", Some("orders_status_idx ON shop.orders (status)"))]
#[case("(lower(email) = 'x'::text)", Some("orders_lower_idx ON shop.orders (lower(email))"))]
#[case(
    "((deleted_at IS NULL) AND (customer_id = 42))",
    Some("orders_customer_id_idx ON shop.orders (customer_id) WHERE deleted_at IS NULL")
)]
#[case("(email ~~ 'x%'::text)", Some("orders_email_idx ON shop.orders (email text_pattern_ops)"))]
// A number that is compared as text may be of a column of numbers.
#[case("((customer_id)::text = '42'::text)", None)]
#[case("((customer_id)::numeric = 42.0)", None)]
#[case("(doc @> '{}'::jsonb)", None)]
fn a_plan_alone_is_enough_for_what_it_says(#[case] filter: &str, #[case] expected: Option<&str>) {
    let advice = advise(None, &Tables::default(), &scan(filter));
    let found = advice.as_ref().map(|advice| advice.statement.replace("CREATE INDEX CONCURRENTLY ", ""));
    assert_eq!(found.as_deref(), expected);
    assert!(advice.is_none_or(|advice| advice.why.contains("follows from the plan alone")));
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
            let case = Case { class: "typical", plan: &plans[0].plan, statement: &examined };
            for at in 0..plans[0].plan.nodes().len() {
                assert_eq!(format!("{};\n", index_for(&case, at).unwrap().statement), fix);
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
