-- title: A day picked by casting the timestamp, which has an index
-- finds: function-on-column
-- names: booked_at
-- [setup]
CREATE TABLE bookings (id int PRIMARY KEY, booked_at timestamp NOT NULL, seats int NOT NULL);
INSERT INTO bookings SELECT i, timestamp '2026-01-01' + i * interval '5 minutes', i % 9 FROM generate_series(1, 150000) i;
CREATE INDEX bookings_booked_at ON bookings (booked_at);
ANALYZE bookings;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, seats FROM bookings WHERE booked_at::date = date '2026-03-05';
-- [follow]
-- A range says the same without the cast.
-- [query after]
SELECT id, seats FROM bookings WHERE booked_at >= date '2026-03-05' AND booked_at < date '2026-03-06';
