-- title: Two letters sought by an index of trigrams
-- finds: index-not-used
-- names: products_name_idx
-- names: three letters
-- needs: pg_trgm
-- [setup]
CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO products SELECT n, CASE WHEN n % 9000 = 0 THEN 'zq' ELSE '' END || to_char(n, 'FM00000000') FROM generate_series(1, 60000) n;
CREATE INDEX products_name_idx ON products USING gin (name gin_trgm_ops);
VACUUM ANALYZE products;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM products WHERE name LIKE '%zq%';
