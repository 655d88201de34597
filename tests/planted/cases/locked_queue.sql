-- title: The next job of a queue, FOR UPDATE SKIP LOCKED
-- finds: top-n-sort
-- names: priority DESC, id
-- [setup]
CREATE TABLE errands (id int PRIMARY KEY, state text NOT NULL, priority int NOT NULL, payload text NOT NULL);
INSERT INTO errands SELECT n, CASE WHEN n % 3 = 0 THEN 'done' ELSE 'open' END, n % 9, repeat('x', 50) FROM generate_series(1, 60000) n;
VACUUM ANALYZE errands;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, payload FROM errands WHERE state = 'open' ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED
