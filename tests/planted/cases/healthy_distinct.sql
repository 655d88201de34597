-- title: DISTINCT that leaves most rows
-- finds: nothing
-- [setup]
CREATE TABLE plates (id int PRIMARY KEY, plate int NOT NULL);
INSERT INTO plates SELECT n, n * 7919::bigint % 20011 FROM generate_series(1, 40000) n;
VACUUM ANALYZE plates;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '32MB'
-- [query]
SELECT DISTINCT plate FROM plates
