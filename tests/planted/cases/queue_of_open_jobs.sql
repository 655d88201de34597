-- title: The few open rows of a large table: a partial index serves them
-- finds: seq-scan-filter
-- names: done
-- names: due_at
-- [setup]
CREATE TABLE tasks (id int PRIMARY KEY, done boolean NOT NULL, due_at timestamptz NOT NULL, payload text NOT NULL);
INSERT INTO tasks SELECT i, i % 400 <> 0, timestamptz '2026-01-01' + i * interval '1 minute', repeat('p', 60)
FROM generate_series(1, 150000) i;
ANALYZE tasks;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, payload FROM tasks WHERE NOT done AND due_at < '2026-03-01' ORDER BY due_at;
-- [follow]
CREATE INDEX ON tasks (due_at) WHERE NOT done;
