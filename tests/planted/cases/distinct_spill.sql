-- title: DISTINCT over more rows than work_mem holds
-- finds: hash-spill
-- names: work_mem
-- [setup]
CREATE TABLE requests (id int NOT NULL, address text NOT NULL, agent text NOT NULL);
INSERT INTO requests SELECT i, md5((i % 90000)::text), 'agent ' || i % 3 FROM generate_series(1, 150000) i;
ANALYZE requests;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1MB';
SET enable_sort = off;
-- [query]
SELECT count(*) FROM (SELECT DISTINCT address, agent FROM requests) d;
-- [follow]
SET work_mem = '128MB';
