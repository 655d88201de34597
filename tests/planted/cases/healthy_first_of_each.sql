-- title: The latest of each of a page of customers, by an index on the customer alone: a few rows each
-- finds: nothing
-- [setup]
CREATE TABLE customers (id int PRIMARY KEY, region int NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, made int NOT NULL, pad text NOT NULL);
INSERT INTO customers SELECT n, n % 60 FROM generate_series(1, 12000) n;
INSERT INTO orders SELECT n, 1 + n * 7919::bigint % 12000, n, repeat('o', 60) FROM generate_series(1, 84000) n;
CREATE INDEX ON customers (region);
CREATE INDEX ON orders (customer);
VACUUM ANALYZE customers, orders;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT c.id, o.id FROM customers c CROSS JOIN LATERAL (SELECT id FROM orders WHERE customer = c.id ORDER BY made DESC LIMIT 1) o WHERE c.region = 7;
