-- title: A table much changed since it was analyzed, whose estimates still hold
-- finds: nothing
-- needs: counts
-- [setup]
CREATE TABLE jobs (id int PRIMARY KEY, queue int NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO jobs SELECT i, i % 10 FROM generate_series(1, 20000) i;
ANALYZE jobs;
INSERT INTO jobs SELECT i, i % 10 FROM generate_series(20001, 30000) i;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT queue, count(*) FROM jobs GROUP BY queue
