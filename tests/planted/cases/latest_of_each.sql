-- title: The latest of each of a few, by DISTINCT ON over all
-- finds: first-of-each
-- names: LATERAL
-- [setup]
CREATE TABLE sensors (id int PRIMARY KEY);
CREATE TABLE samples (sensor int NOT NULL, at timestamptz NOT NULL, degrees int NOT NULL);
INSERT INTO sensors SELECT generate_series(1, 50);
INSERT INTO samples SELECT 1 + n % 50, timestamptz '2025-01-01' + n * interval '1 s', n % 77 FROM generate_series(1, 100000) n;
VACUUM ANALYZE sensors, samples;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT DISTINCT ON (sensor) sensor, at, degrees FROM samples ORDER BY sensor, at DESC
-- [follow]
CREATE INDEX ON samples (sensor, at DESC);
-- [query after]
SELECT s.id, l.at, l.degrees FROM sensors s CROSS JOIN LATERAL (SELECT at, degrees FROM samples WHERE samples.sensor = s.id ORDER BY at DESC LIMIT 1) l
