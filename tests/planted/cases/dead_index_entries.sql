-- title: A queue whose done rows are gone, but not from its index
-- finds: read-efficiency
-- names: VACUUM
-- [setup]
CREATE TABLE jobs (id int PRIMARY KEY, state int NOT NULL, payload text NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO jobs SELECT i, 0, repeat('j', 100) FROM generate_series(1, 60000) i;
CREATE INDEX jobs_state ON jobs (state);
UPDATE jobs SET state = 1 WHERE id % 600 <> 0;
ANALYZE jobs;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET enable_indexscan = off;
-- [query]
SELECT id, payload FROM jobs WHERE state = 0;
-- [follow]
VACUUM jobs;
