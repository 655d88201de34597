-- title: A short query that is compiled first
-- finds: jit
-- names: jit
-- needs: jit
-- [setup]
CREATE TABLE samples (id int PRIMARY KEY, kind int NOT NULL, value int NOT NULL);
INSERT INTO samples SELECT i, i % 20, i % 997 FROM generate_series(1, 50000) i;
ANALYZE samples;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET jit = on;
SET jit_above_cost = 100;
SET jit_inline_above_cost = 100;
SET jit_optimize_above_cost = 100
-- [query]
SELECT kind, sum(value * 2 + 1), avg(value), max(value), min(value), count(*) FILTER (WHERE value % 3 = 1) FROM samples GROUP BY kind
