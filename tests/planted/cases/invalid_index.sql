-- title: A failed CREATE INDEX CONCURRENTLY left an index that no statement reads
-- finds: index-not-used
-- names: bookings_guest_idx
-- names: reindex index concurrently
-- names: invalid
-- [setup]
CREATE TABLE bookings (id int PRIMARY KEY, guest int NOT NULL, pad text NOT NULL);
INSERT INTO bookings SELECT i, i % 30000, repeat('b', 50) FROM generate_series(1, 120000) i;
CREATE INDEX bookings_guest_idx ON bookings (guest);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'bookings_guest_idx'::regclass;
VACUUM ANALYZE bookings;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM bookings WHERE guest = 1234;
