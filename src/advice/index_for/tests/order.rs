//! Which index follows from an order and from joins.

use rstest::rstest;

use super::*;

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
// Unless many rows have them: then the list is checked on the way.
#[case(
    "o.created_at DESC",
    "(o.customer_id = 42) AND ((o.status)::text = ANY ('{open,paid}'::text[]))",
    "orders_customer_id_created_at_idx ON orders (customer_id, created_at DESC)"
)]
#[case(
    "o.created_at DESC",
    "(o.status)::text = ANY ('{lost,paid}'::text[])",
    "orders_created_at_idx ON orders (created_at DESC)"
)]
// Mixed directions.
#[case(
    "o.created_at DESC, o.total",
    "o.customer_id = 42",
    "orders_customer_id_created_at_total_idx ON orders (customer_id, created_at DESC, total)"
)]
// Another table's column, or what no index orders by.
#[case("c.name", "o.customer_id = 42", "orders_customer_id_idx ON orders (customer_id)")]
#[case("(random())", "o.customer_id = 42", "orders_customer_id_idx ON orders (customer_id)")]
fn the_order_follows_what_is_looked_up(#[case] key: &str, #[case] filter: &str, #[case] expected: &str) {
    let sql = "SELECT * FROM orders o WHERE status = 'open' ORDER BY 1 LIMIT 10";
    let found = statement_of(sql, &sorted(&key.split(", ").collect::<Vec<_>>(), scan(&format!("({filter})"))))
        .unwrap_or_default();
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
    let all = json!({"Sort Key": ["o.created_at DESC"], "Actual Rows": 1_000_000});
    let all = over("Sort", all, vec![whole.clone()]);
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

/// Without the catalog: an index whose only condition is that its key is not NULL is walked.
#[test]
fn the_least_and_the_greatest_are_found_behind_what_is_looked_up() {
    let of = |direction: &str| {
        let mut node = scan("(o.shop_id = 40)");
        (node["Node Type"], node["Index Name"]) = ("Index Scan".into(), "orders_pkey".into());
        (node["Index Cond"], node["Scan Direction"]) = ("(o.total IS NOT NULL)".into(), direction.into());
        let plan = over("Limit", json!({}), vec![node]);
        advise(None, &Tables::default(), &plan).map(|advice| advice.statement).unwrap_or_default()
    };
    assert!(of("Backward").ends_with("(shop_id, total DESC)"), "{}", of("Backward"));
    assert!(of("Forward").ends_with("(shop_id, total)"), "{}", of("Forward"));
}

#[test]
fn the_nearest_come_from_a_gist_index() {
    let plan = sorted(&["(o.place <-> '(1,2)'::point)"], {
        let mut whole = scan("");
        whole.as_object_mut().unwrap().remove("Filter");
        whole["Rows Removed by Filter"] = 0.into();
        whole
    });
    let advice = advise(None, &Tables::default(), &plan).unwrap();
    assert_eq!(advice.statement, "CREATE INDEX CONCURRENTLY orders_place_idx ON shop.orders USING gist (place)");
    assert!(advice.why.contains("returns the nearest rows first"), "{}", advice.why);
}

#[test]
fn an_index_that_the_plan_reads_is_not_advised_again() {
    let mut node = scan("(my_function(o.total) = 3)");
    (node["Node Type"], node["Index Name"]) = ("Index Scan".into(), "some_name".into());
    node["Index Cond"] = "(o.customer_id = 42)".into();
    assert_eq!(advise(None, &Tables::default(), &node), None);
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
