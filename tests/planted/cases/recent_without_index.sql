-- title: The last day by the clock, no index on the time
-- finds: seq-scan-filter
-- names: seen_at
-- [setup]
CREATE TABLE sightings (id int PRIMARY KEY, seen_at timestamptz NOT NULL, place text NOT NULL);
INSERT INTO sightings SELECT i, now() - i * interval '10 minutes', 'place ' || i FROM generate_series(1, 100000) i;
ANALYZE sightings;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, place FROM sightings WHERE seen_at > now() - interval '1 day';
-- [follow]
CREATE INDEX ON sightings (seen_at);
