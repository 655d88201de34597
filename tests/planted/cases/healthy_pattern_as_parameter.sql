-- title: A pattern as a parameter: the plan for any values is not used, since plans for the values cost less
-- finds: nothing
-- [setup]
CREATE TABLE names (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO names SELECT n, md5(n::text) FROM generate_series(1, 60000) n;
CREATE INDEX names_name_idx ON names (name text_pattern_ops);
VACUUM ANALYZE names;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM names WHERE name LIKE $1
-- [values]
typical: 'c4ca4%'
cold: 'ffff%'
