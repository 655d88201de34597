-- title: A state that did not exist when the table was analyzed
-- finds: stale-statistics
-- needs: counts
-- names: ANALYZE
-- names: jobs
-- [setup]
CREATE TABLE attempts (id int PRIMARY KEY, job_id int NOT NULL, failed boolean NOT NULL);
INSERT INTO attempts SELECT i, i % 5000, i % 100 = 0 FROM generate_series(1, 20000) i;
CREATE TABLE jobs (id int NOT NULL, state text NOT NULL, queue int NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO jobs SELECT i, 'done', i % 10 FROM generate_series(1, 4000) i;
CREATE INDEX jobs_state ON jobs (state);
ANALYZE jobs, attempts;
INSERT INTO jobs SELECT i, 'waiting', i % 10 FROM generate_series(4001, 4900) i;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT j.queue, a.id FROM jobs j JOIN attempts a ON a.job_id = j.id WHERE j.state = 'waiting' AND a.failed
