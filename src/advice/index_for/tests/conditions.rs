//! Which index follows from conditions.

use rstest::rstest;

use super::*;

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
#[case("email ~ '^abc'", "(o.email ~ '^abc'::text)", "orders_email_idx ON orders (email text_pattern_ops)")]
#[case(
    "email ~ 'abc'",
    "(o.email ~ 'abc'::text)",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm; orders_email_idx ON orders USING gin (email gin_trgm_ops)"
)]
#[case("zip = $1", "((o.zip)::text = '12345'::text)", "orders_zip_idx ON orders (zip)")]
#[case("zip LIKE '12%'", "((o.zip)::text ~~ '12%'::text)", "orders_zip_idx ON orders (zip text_pattern_ops)")]
#[case("stay @> $1", "(o.stay @> '2024-01-01'::date)", "orders_stay_idx ON orders USING gist (stay)")]
#[case("ip << $1", "(o.ip << '10.0.0.0/8'::inet)", "orders_ip_idx ON orders USING gist (ip inet_ops)")]
#[case("body = $1", "(o.body = 'a long text'::text)", "orders_body_idx ON orders USING hash (body)")]
#[case(
    "customer_id = $1 AND body = $2",
    "((o.customer_id = 42) AND (o.body = 'a long text'::text))",
    "orders_customer_id_idx ON orders (customer_id)"
)]
#[case(
    "customer_id = $1 AND created_at > $2",
    "((o.customer_id = 42) AND (o.created_at > '2000-01-01'::timestamp with time zone))",
    "orders_customer_id_idx ON orders (customer_id)"
)]
#[case(
    "customer_id = $1 AND created_at > $2",
    "((o.customer_id = 42) AND (o.created_at > '2026-12-01'::timestamp with time zone))",
    "orders_customer_id_created_at_idx ON orders (customer_id, created_at)"
)]
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
// No row has it: it may be any value.
#[case("status = 'gone'", "((o.status)::text = 'gone'::text)", "orders_status_idx ON orders (status)")]
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
#[case::all_rows("(o.created_at > '2000-01-01'::timestamp with time zone)")]
#[case::regex_of_choices("(o.email ~ 'abc|d'::text)")]
#[case::element_of_a_range("(o.created_at <@ '[2024-01-01,2024-02-01)'::tstzrange)")]
#[case::jsonb_within("(o.doc <@ '{}'::jsonb)")]
#[case::system_column("(o.ctid = '(0,1)'::tid)")]
#[case::no_such_column("(o.nothing = 42)")]
#[case::primary_key("(o.id = 42)")]
#[case::primary_key_and_more("((o.id = 42) AND (o.customer_id = 1))")]
#[case::collation("(o.email = ('x'::text COLLATE \"de_DE\"))")]
fn where_none_would_serve_there_is_none(#[case] filter: &str) {
    assert_eq!(of("SELECT * FROM orders o WHERE status = 'paid'", filter), "-");
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

#[rstest]
#[case("(customer_id = 42)", Some("orders_customer_id_idx ON shop.orders (customer_id)"))]
#[case("((status)::text = 'open'::text)", Some("orders_status_idx ON shop.orders (status)"))]
#[case("(lower(email) = 'x'::text)", Some("orders_lower_idx ON shop.orders (lower(email))"))]
#[case(
    "((deleted_at IS NULL) AND (customer_id = 42))",
    Some("orders_customer_id_idx ON shop.orders (customer_id) WHERE deleted_at IS NULL")
)]
#[case("(email ~~ 'x%'::text)", Some("orders_email_idx ON shop.orders (email text_pattern_ops)"))]
// How many are NULL is not known, and most rows that are not wanted may be.
#[case("((NOT urgent) AND (deleted_at IS NULL))", None)]
#[case("(deleted_at IS NULL)", Some("orders_deleted_at_idx ON shop.orders (deleted_at) WHERE deleted_at IS NULL"))]
// A number that is compared as text may be of a column of numbers.
#[case("((customer_id)::text = '42'::text)", None)]
#[case("((customer_id)::numeric = 42.0)", None)]
#[case("(doc @> '{}'::jsonb)", Some("orders_doc_idx ON shop.orders USING gin (doc jsonb_path_ops)"))]
#[case("(doc @? '$.a'::jsonpath)", Some("orders_doc_idx ON shop.orders USING gin (doc jsonb_path_ops)"))]
#[case("(doc ? 'a'::text)", Some("orders_doc_idx ON shop.orders USING gin (doc)"))]
#[case("(tags && '{a,b}'::text[])", Some("orders_tags_idx ON shop.orders USING gin (tags)"))]
#[case("('{a}'::text[] <@ tags)", Some("orders_tags_idx ON shop.orders USING gin (tags)"))]
#[case("(search @@ '''a'''::tsquery)", Some("orders_search_idx ON shop.orders USING gin (search)"))]
#[case("(stay && '[2024-01-01,2024-02-01)'::daterange)", Some("orders_stay_idx ON shop.orders USING gist (stay)"))]
#[case("(stay && daterange('2024-01-01'::date, $1))", Some("orders_stay_idx ON shop.orders USING gist (stay)"))]
#[case("(ip <<= '10.0.0.0/8'::inet)", Some("orders_ip_idx ON shop.orders USING gist (ip inet_ops)"))]
#[case("('10.0.0.1'::inet <<= net)", Some("orders_net_idx ON shop.orders USING gist (net inet_ops)"))]
#[case("(place <@ '(1,1),(0,0)'::box)", Some("orders_place_idx ON shop.orders USING gist (place)"))]
#[case(
    "st_dwithin(place, '0101'::geometry, '10'::double precision)",
    Some("orders_place_idx ON shop.orders USING gist (place)")
)]
// An element of a range that is not known, or a range within it.
#[case("(at <@ '[2024-01-01,2024-02-01)'::daterange)", None)]
#[case("(stay @> '2024-01-01'::date)", None)]
// An operator of an extension that nothing is known of.
#[case("(doc @@@ 'a'::text)", None)]
fn a_plan_alone_is_enough_for_what_it_says(#[case] filter: &str, #[case] expected: Option<&str>) {
    let advice = advise(None, &Tables::default(), &scan(filter));
    let found = advice.as_ref().map(|advice| advice.statement.replace("CREATE INDEX CONCURRENTLY ", ""));
    assert_eq!(found.as_deref(), expected);
    assert!(advice.is_none_or(|advice| advice.why.contains("follows from the plan alone")));
}
