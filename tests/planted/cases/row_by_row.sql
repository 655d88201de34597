-- title: Most of a table fetched through an index whose order is not the table's
-- finds: low-selectivity-index
-- names: INCLUDE
-- [setup]
CREATE TABLE meters (id int NOT NULL, station int NOT NULL, value int NOT NULL, note text NOT NULL);
INSERT INTO meters SELECT i, (i * 7919::bigint) % 1009, i % 700, repeat('m', 60) FROM generate_series(1, 150000) i;
CREATE INDEX meters_station ON meters (station);
VACUUM ANALYZE meters;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
-- [query]
SELECT sum(value) FROM meters WHERE station > 300;
-- [follow]
CREATE INDEX ON meters (station) INCLUDE (value);
VACUUM meters;
