-- title: A materialized CTE of which one row is wanted
-- finds: late-filter
-- names: NOT MATERIALIZED
-- [setup]
CREATE TABLE parcels (id int PRIMARY KEY, code text NOT NULL, weight int NOT NULL, note text NOT NULL);
INSERT INTO parcels SELECT n, 'P' || n, n % 900, repeat('n', 40) FROM generate_series(1, 90000) n;
CREATE INDEX ON parcels (code);
VACUUM ANALYZE parcels;
-- [query]
WITH heavy AS MATERIALIZED (SELECT id, code, weight * 2 AS doubled FROM parcels WHERE weight >= 5) SELECT id, doubled FROM heavy WHERE code = 'P4711'
-- [query after]
WITH heavy AS NOT MATERIALIZED (SELECT id, code, weight * 2 AS doubled FROM parcels WHERE weight >= 5) SELECT id, doubled FROM heavy WHERE code = 'P4711'
