-- title: An extension's operator of the same name, which the index does not have
-- finds: index-not-used
-- names: operator(pg_catalog.@>)
-- names: gin__int_ops
-- needs: intarray
-- [setup]
CREATE TABLE recipes (id int PRIMARY KEY, tags int[] NOT NULL);
INSERT INTO recipes SELECT n, ARRAY[n % 9000, n % 7001, n % 300] FROM generate_series(1, 100000) n;
CREATE INDEX recipes_tags_idx ON recipes USING gin (tags);
VACUUM ANALYZE recipes;
-- [session]
SET max_parallel_workers_per_gather = 0;
SELECT set_config('search_path', current_schema() || ', public', false);
-- [query]
SELECT id FROM recipes WHERE tags @> ARRAY[8123];
