-- title: A few orders joined to all lines, which have no index on the order
-- finds: join-without-index
-- names: order_id
-- [setup]
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL);
INSERT INTO orders SELECT i, (i * 7919::bigint) % 2500 FROM generate_series(1, 25000) i;
CREATE INDEX orders_customer ON orders (customer_id);
CREATE TABLE lines (id int PRIMARY KEY, order_id int NOT NULL, cents int NOT NULL);
INSERT INTO lines SELECT i, i % 25000 + 1, i % 4000 FROM generate_series(1, 200000) i;
VACUUM ANALYZE orders;
VACUUM ANALYZE lines;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT o.id, sum(l.cents) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.customer_id = 42 GROUP BY o.id;
-- [follow]
CREATE INDEX ON lines (order_id);
