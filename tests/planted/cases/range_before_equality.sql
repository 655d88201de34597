-- title: An index with the range before the equality: all of the range is walked
-- finds: unused-index-column-order
-- names: host_id
-- [setup]
CREATE TABLE log_lines (id int PRIMARY KEY, logged_at timestamptz NOT NULL, host_id int NOT NULL, line text NOT NULL);
INSERT INTO log_lines SELECT i, timestamptz '2026-01-01' + i * interval '10 seconds', (i * 7919::bigint) % 3000, repeat('l', 80)
FROM generate_series(1, 200000) i;
CREATE INDEX log_lines_time_host ON log_lines (logged_at, host_id);
VACUUM ANALYZE log_lines;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
-- [query]
SELECT id, line FROM log_lines WHERE logged_at >= '2026-01-01' AND logged_at < '2026-01-23' AND host_id = 42;
-- [follow]
CREATE INDEX ON log_lines (host_id, logged_at);
