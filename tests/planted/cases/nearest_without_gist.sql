-- title: The nearest points, no index
-- finds: top-n-sort
-- names: using gist (place)
-- [setup]
CREATE TABLE shops (id int PRIMARY KEY, place point NOT NULL, pad text NOT NULL);
INSERT INTO shops SELECT n, point(n * 7919::bigint % 10007, n * 104729::bigint % 9973), repeat('z', 60) FROM generate_series(1, 60000) n;
VACUUM ANALYZE shops;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM shops ORDER BY place <-> point(500, 500) LIMIT 5;
