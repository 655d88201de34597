-- title: A day in a zone as a range of times
-- finds: nothing
-- [setup]
CREATE TABLE calls (id int PRIMARY KEY, at timestamptz NOT NULL, pad text NOT NULL);
INSERT INTO calls SELECT n, timestamptz '2024-01-01 00:00:00+00' + n * interval '3 minutes', repeat('c', 60) FROM generate_series(1, 80000) n;
CREATE INDEX calls_at_idx ON calls (at);
VACUUM ANALYZE calls;
-- [query]
SELECT id, pad FROM calls WHERE at >= timestamp '2024-03-05' AT TIME ZONE 'Europe/Berlin' AND at < timestamp '2024-03-06' AT TIME ZONE 'Europe/Berlin';
