-- title: A table of which little is left, read whole with all its empty pages
-- finds: read-efficiency
-- names: VACUUM
-- [setup]
CREATE TABLE outbox (id int NOT NULL, body text NOT NULL) WITH (autovacuum_enabled = off);
INSERT INTO outbox SELECT i, repeat('b', 400) FROM generate_series(1, 60000) i;
DELETE FROM outbox WHERE id % 200 <> 0;
ANALYZE outbox;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, body FROM outbox;
-- [follow]
VACUUM (FULL, ANALYZE) outbox;
