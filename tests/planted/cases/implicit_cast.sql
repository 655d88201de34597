-- title: A number of another type casts the column, whose index does not serve
-- finds: implicit-cast
-- names: tracking
-- [setup]
CREATE TABLE parcels (id int PRIMARY KEY, tracking int NOT NULL, weight int NOT NULL);
INSERT INTO parcels SELECT i, i * 3, i % 500 FROM generate_series(1, 150000) i;
CREATE INDEX parcels_tracking ON parcels (tracking);
ANALYZE parcels;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, weight FROM parcels WHERE tracking = $1::numeric;
-- [values]
typical: 30000
absent: -1
-- [follow]
-- The value is cast in place of the column.
-- [query after]
SELECT id, weight FROM parcels WHERE tracking = $1::int;
