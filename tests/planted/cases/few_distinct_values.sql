-- title: The few distinct values of a large table
-- finds: first-of-each
-- names: RECURSIVE
-- [setup]
CREATE TABLE visits (id int PRIMARY KEY, country text NOT NULL, at timestamptz NOT NULL);
INSERT INTO visits SELECT n, 'c' || n % 30, timestamptz '2025-01-01' + n * interval '1 s' FROM generate_series(1, 100000) n;
CREATE INDEX ON visits (country);
VACUUM ANALYZE visits;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT DISTINCT country FROM visits
-- [query after]
WITH RECURSIVE k AS ((SELECT country FROM visits ORDER BY country LIMIT 1) UNION ALL SELECT (SELECT country FROM visits WHERE country > k.country ORDER BY country LIMIT 1) FROM k WHERE k.country IS NOT NULL) SELECT country FROM k WHERE country IS NOT NULL
