-- title: A queue in a materialized CTE, of which the first is taken
-- finds: top-n-sort
-- names: urgency DESC NULLS LAST
-- [setup]
CREATE TABLE chores (id int PRIMARY KEY, ticket text NOT NULL, urgency int, put_at timestamptz NOT NULL, done_at timestamptz);
INSERT INTO chores SELECT n, md5(n::text), n % 50, timestamptz '2025-01-01' + n * interval '1 s', CASE WHEN n % 2 = 0 THEN now() END FROM generate_series(1, 80000) n;
VACUUM ANALYZE chores;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1MB'
-- [query]
WITH open AS MATERIALIZED (SELECT id, ticket FROM chores WHERE done_at IS NULL ORDER BY urgency DESC NULLS LAST, put_at) SELECT id FROM open WHERE ticket > '0' LIMIT 1
