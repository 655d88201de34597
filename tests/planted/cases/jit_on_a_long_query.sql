-- title: A long query that is worth compiling
-- finds: nothing
-- needs: jit
-- [setup]
CREATE TABLE samples (id int NOT NULL, kind int NOT NULL);
INSERT INTO samples SELECT i, i % 20 FROM generate_series(1, 1000) i;
ANALYZE samples;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '16MB';
SET jit = on;
SET jit_above_cost = 100;
SET jit_inline_above_cost = -1;
SET jit_optimize_above_cost = -1
-- [query]
SELECT count(*) FILTER (WHERE (i * 31 + s.kind) % 7 = 3) FROM samples s, LATERAL (SELECT g FROM generate_series(1, 3000) g) AS g(i)
