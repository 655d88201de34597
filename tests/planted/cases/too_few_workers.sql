-- title: A large aggregate that was not allowed any worker
-- finds: too-few-workers
-- names: max_parallel_workers_per_gather
-- [setup]
CREATE TABLE trips (id int NOT NULL, zone int NOT NULL, cents int NOT NULL);
INSERT INTO trips SELECT i, i % 50, i % 9000 FROM generate_series(1, 900000) i;
ANALYZE trips;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT zone, sum(cents), avg(cents), stddev(cents) FROM trips GROUP BY zone
