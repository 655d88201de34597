-- title: An index-only scan of a vacuumed table
-- finds: nothing
-- [setup]
CREATE TABLE sales (id int PRIMARY KEY, shop_id int NOT NULL, cents int NOT NULL, note text NOT NULL);
INSERT INTO sales SELECT i, (i * 7919::bigint) % 500, i % 900, repeat('n', 60) FROM generate_series(1, 100000) i;
CREATE INDEX sales_shop_cents ON sales (shop_id) INCLUDE (cents);
VACUUM ANALYZE sales;
-- [query]
SELECT sum(cents) FROM sales WHERE shop_id = $1;
-- [values]
typical: 77
absent: -1
