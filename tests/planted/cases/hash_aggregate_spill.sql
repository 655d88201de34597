-- title: Groups that do not fit into work_mem
-- finds: hash-spill
-- names: work_mem
-- [setup]
CREATE TABLE hits (id int PRIMARY KEY, url text NOT NULL, bytes int NOT NULL);
INSERT INTO hits SELECT i, md5((i % 100000)::text), i % 900 FROM generate_series(1, 200000) i;
ANALYZE hits;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1MB';
SET enable_sort = off
-- [query]
SELECT url, sum(bytes), count(*) FROM hits GROUP BY url
