-- title: The greatest of a group from an index that begins with the group
-- finds: nothing
-- [setup]
CREATE TABLE parcels (parcel_no bigint PRIMARY KEY, depot int NOT NULL, label text);
INSERT INTO parcels SELECT i, CASE WHEN i <= 500 THEN 40 ELSE 1 + i % 30 END, repeat('x', 60) FROM generate_series(1, 200000) i;
CREATE INDEX parcels_depot_no_idx ON parcels (depot, parcel_no);
VACUUM ANALYZE parcels;
-- [query]
SELECT max(parcel_no) FROM parcels WHERE depot = 40;
