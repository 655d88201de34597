-- title: The latest of one user: the missing index is the cause, the sort what follows from it
-- finds: seq-scan-filter
-- names: user_id
-- [setup]
CREATE TABLE logins (id int PRIMARY KEY, user_id int NOT NULL, at timestamptz NOT NULL);
INSERT INTO logins SELECT i, CASE WHEN i % 10 = 0 THEN 1 ELSE (i * 7919::bigint) % 3000 END, timestamptz '2026-01-01' + i * interval '1 minute'
FROM generate_series(1, 150000) i;
ANALYZE logins;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, at FROM logins WHERE user_id = $1 ORDER BY at DESC LIMIT 20;
-- [values]
hot: 1
typical: 77
-- [follow]
CREATE INDEX ON logins (user_id, at DESC);
