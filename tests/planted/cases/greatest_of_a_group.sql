-- title: The greatest key of a group is sought from the end of the primary key
-- finds: order-by-limit-wrong-index
-- names: (depot, parcel_no DESC)
-- [setup]
CREATE TABLE parcels (parcel_no bigint PRIMARY KEY, depot int NOT NULL, label text);
INSERT INTO parcels SELECT i, CASE WHEN i <= 500 THEN 40 ELSE 1 + i % 30 END, repeat('x', 60) FROM generate_series(1, 200000) i;
CREATE INDEX parcels_depot_idx ON parcels (depot);
VACUUM ANALYZE parcels;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT max(parcel_no) FROM parcels WHERE depot = 40;
