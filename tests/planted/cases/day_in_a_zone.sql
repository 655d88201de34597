-- title: The day of a time in a zone, and an index on the time
-- finds: function-on-column
-- names: AT TIME ZONE 'Europe/Berlin'
-- names: calls_at_idx
-- [setup]
CREATE TABLE calls (id int PRIMARY KEY, at timestamptz NOT NULL, pad text NOT NULL);
INSERT INTO calls SELECT n, timestamptz '2024-01-01 00:00:00+00' + n * interval '3 minutes', repeat('c', 60) FROM generate_series(1, 80000) n;
CREATE INDEX calls_at_idx ON calls (at);
VACUUM ANALYZE calls;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, pad FROM calls WHERE (at AT TIME ZONE 'Europe/Berlin')::date = '2024-03-05';
-- [query after]
SELECT id, pad FROM calls WHERE at >= ('2024-03-05'::date::timestamp) AT TIME ZONE 'Europe/Berlin' AND at < ('2024-03-05'::date::timestamp + interval '1 day') AT TIME ZONE 'Europe/Berlin';
