-- title: Counting every row of a table
-- finds: count-everything
-- names: comments
-- [setup]
CREATE TABLE comments (id int NOT NULL, body text NOT NULL);
INSERT INTO comments SELECT i, repeat('c', 200) FROM generate_series(1, 200000) i;
VACUUM ANALYZE comments;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT count(*) FROM comments;
-- [follow]
-- Where an estimate will do.
-- [query after]
SELECT reltuples::bigint FROM pg_class WHERE oid = 'comments'::regclass;
