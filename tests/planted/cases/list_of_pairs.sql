-- title: A list of pairs, and an index on the first of each
-- finds: index-filter
-- names: (town, street)
-- [setup]
CREATE TABLE houses (id int PRIMARY KEY, town int NOT NULL, street int NOT NULL, pad text NOT NULL);
INSERT INTO houses SELECT n, n * 7919::bigint % 60, n * 104729::bigint % 9001, repeat('h', 90) FROM generate_series(1, 120000) n;
CREATE INDEX houses_town_idx ON houses (town);
VACUUM ANALYZE houses;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, pad FROM houses WHERE (town, street) IN ((3, 77), (4, 78), (5, 79));
