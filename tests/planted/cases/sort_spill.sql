-- title: A sort that does not fit into work_mem
-- finds: sort-spill
-- names: work_mem
-- [setup]
CREATE TABLE tracks (id int NOT NULL, plays int NOT NULL, notes text NOT NULL);
INSERT INTO tracks SELECT i, i * 7919::bigint % 100003, repeat(md5(i::text), 12) FROM generate_series(1, 80000) i;
ANALYZE tracks;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '256kB'
-- [query]
SELECT id, notes FROM tracks ORDER BY plays, id
