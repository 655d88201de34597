-- title: The latest of a few, by LATERAL
-- finds: nothing
-- [setup]
CREATE TABLE ferries (id int PRIMARY KEY);
CREATE TABLE trips (ferry int NOT NULL, at timestamptz NOT NULL);
INSERT INTO ferries SELECT generate_series(1, 40);
INSERT INTO trips SELECT 1 + n % 40, timestamptz '2025-01-01' + n * interval '1 s' FROM generate_series(1, 60000) n;
CREATE INDEX ON trips (ferry, at DESC);
VACUUM ANALYZE ferries, trips;
-- [query]
SELECT f.id, t.at FROM ferries f CROSS JOIN LATERAL (SELECT at FROM trips WHERE ferry = f.id ORDER BY at DESC LIMIT 1) t
