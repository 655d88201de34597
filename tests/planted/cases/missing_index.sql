-- title: A few events of one user, no index
-- finds: seq-scan-filter
-- names: user_id
-- [setup]
CREATE TABLE events AS
SELECT id, (id * 7919) % 5000 AS user_id, repeat('x', 60) AS payload FROM generate_series(1, 200000) AS id;
ANALYZE events;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, payload FROM events WHERE user_id = $1
-- [values]
hot: 42
absent: -1
