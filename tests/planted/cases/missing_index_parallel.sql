-- title: A few rows of a table without index, read by three processes
-- finds: seq-scan-filter
-- names: device_id
-- [setup]
CREATE TABLE readings AS
SELECT id, (id * 7919) % 5000 AS device_id, repeat('r', 60) AS payload FROM generate_series(1, 200000) AS id;
ANALYZE readings;
-- [session]
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
-- [query]
SELECT id, payload FROM readings WHERE device_id = 42;
-- [follow]
CREATE INDEX ON readings (device_id);
