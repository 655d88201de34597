-- title: An index on a column with few values, most of what it finds thrown away
-- finds: index-filter
-- names: depot_id
-- [setup]
CREATE TABLE shipments (id int PRIMARY KEY, state text NOT NULL, depot_id int NOT NULL, label text NOT NULL);
INSERT INTO shipments SELECT i, CASE WHEN i % 10 = 0 THEN 'open' ELSE 'closed' END, (i * 7919::bigint) % 2003, repeat('s', 60)
FROM generate_series(1, 250000) i;
CREATE INDEX shipments_state ON shipments (state);
VACUUM ANALYZE shipments;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, label FROM shipments WHERE state = 'open' AND depot_id = 99;
-- [follow]
CREATE INDEX ON shipments (depot_id, state);
