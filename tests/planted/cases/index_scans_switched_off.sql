-- title: Settings that keep the planner from every index
-- finds: index-not-used
-- names: enable_indexscan
-- names: visits_page_idx
-- [setup]
CREATE TABLE visits (id int PRIMARY KEY, page int NOT NULL, pad text NOT NULL);
INSERT INTO visits SELECT n, n % 20000, repeat('z', 60) FROM generate_series(1, 60000) n;
CREATE INDEX visits_page_idx ON visits (page);
VACUUM ANALYZE visits;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
-- [query]
SELECT id FROM visits WHERE page = 4242;
