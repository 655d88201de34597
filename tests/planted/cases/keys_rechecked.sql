-- title: A key of JSON that occurs elsewhere, by an index of jsonb_ops
-- finds: index-recheck
-- names: jsonb_path_ops
-- [setup]
CREATE TABLE trips (id int PRIMARY KEY, body jsonb NOT NULL);
INSERT INTO trips SELECT n, jsonb_build_object('from', jsonb_build_object('town', CASE WHEN n % 10000 = 0 THEN 'Ulm' ELSE 'town ' || n % 500 END), 'to', jsonb_build_object('town', CASE WHEN n % 3 = 0 THEN 'Ulm' ELSE 'town ' || n % 700 END)) FROM generate_series(1, 40000) n;
CREATE INDEX ON trips USING gin (body);
VACUUM ANALYZE trips;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM trips WHERE body @> '{"from": {"town": "Ulm"}}'
