-- title: An index read from end to end: its first column is not asked for
-- finds: unused-index-column-order
-- names: customer_id
-- [setup]
CREATE TABLE orders (id int NOT NULL, shop_id int NOT NULL, customer_id int NOT NULL, note text NOT NULL);
INSERT INTO orders SELECT i, i % 2000, (i * 7919::bigint) % 8000, repeat('n', 300) FROM generate_series(1, 80000) i;
CREATE INDEX ON orders (shop_id, customer_id);
VACUUM ANALYZE orders;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, note FROM orders WHERE customer_id = $1;
-- [values]
typical: 4711
absent: -1
-- [follow]
CREATE INDEX ON orders (customer_id);
