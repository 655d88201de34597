-- title: HAVING sum() leaves no group of those that went through temporary files
-- finds: having-filter
-- names: materialized view
-- [setup]
CREATE TABLE takings (id int PRIMARY KEY, till int NOT NULL, amount int NOT NULL);
INSERT INTO takings SELECT n, n * 7919::bigint % 50021, n % 1000 FROM generate_series(1, 200000) n;
VACUUM ANALYZE takings;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1MB';
-- [query]
SELECT till, sum(amount) FROM takings GROUP BY till HAVING sum(amount) > 1000000;
