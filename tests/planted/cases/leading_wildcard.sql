-- title: LIKE with a leading wildcard
-- finds: leading-wildcard
-- names: name
-- names: trgm
-- [setup]
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO products SELECT i, 'article ' || md5(i::text) FROM generate_series(1, 100000) i;
CREATE INDEX products_name ON products (name);
ANALYZE products;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, name FROM products WHERE name LIKE '%c4ca4238%';
-- [follow]
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX ON products USING gin (name gin_trgm_ops);
