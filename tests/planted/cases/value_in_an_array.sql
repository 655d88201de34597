-- title: A value sought in an array with = ANY, which its GIN index does not serve
-- finds: index-not-used
-- names: tags @> array['t77'::text]
-- names: works_tags
-- [setup]
CREATE TABLE works (id int PRIMARY KEY, tags text[] NOT NULL);
INSERT INTO works SELECT n, ARRAY['t' || n % 6000, 'u' || n % 17] FROM generate_series(1, 100000) n;
CREATE INDEX works_tags ON works USING gin (tags);
VACUUM ANALYZE works;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM works WHERE 't77' = ANY (tags);
-- [follow]
-- The condition as the index serves it.
-- [query after]
SELECT id FROM works WHERE tags @> ARRAY['t77'];
