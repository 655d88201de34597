-- title: The latest twenty of a table, sorted each time
-- finds: top-n-sort
-- names: posted_at
-- [setup]
CREATE TABLE tweets (id int PRIMARY KEY, posted_at timestamptz NOT NULL, body text NOT NULL);
INSERT INTO tweets SELECT i, timestamptz '2026-01-01' + ((i * 7919::bigint) % 150000) * interval '1 minute', 'tweet ' || i
FROM generate_series(1, 150000) i;
ANALYZE tweets;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, posted_at, body FROM tweets ORDER BY posted_at DESC LIMIT 20;
-- [follow]
CREATE INDEX ON tweets (posted_at DESC);
