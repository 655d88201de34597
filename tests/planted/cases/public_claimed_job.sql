-- title: A worker that claims the next due job
-- asked: https://how2.sh/posts/how-to-build-postgresql-job-workers-with-for-update-skip-locked
-- The answer there: a missing partial index is the usual cause of a slow queue.
-- finds: top-n-sort
-- names: due_at
-- [setup]
CREATE TABLE deliveries (id int PRIMARY KEY, state text NOT NULL, due_at timestamptz NOT NULL, tries int NOT NULL);
INSERT INTO deliveries SELECT n, CASE WHEN n % 4 = 0 THEN 'sent' ELSE 'waiting' END, timestamptz '2025-01-01' + (n * 7919::bigint % 90001) * interval '1 s', 0 FROM generate_series(1, 60000) n;
VACUUM ANALYZE deliveries;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
WITH due AS (SELECT id FROM deliveries WHERE state = 'waiting' AND due_at <= now() ORDER BY due_at, id FOR UPDATE SKIP LOCKED LIMIT 1) UPDATE deliveries d SET tries = tries + 1 FROM due WHERE d.id = due.id RETURNING d.id
