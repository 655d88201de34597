-- title: Equality of texts that are too long for a b-tree
-- finds: seq-scan-filter
-- names: using hash (body)
-- [setup]
CREATE TABLE notes (id int PRIMARY KEY, body text NOT NULL);
ALTER TABLE notes ALTER body SET STORAGE MAIN;
INSERT INTO notes SELECT n, (SELECT string_agg(md5((n * 100 + k)::text), '') FROM generate_series(1, 45) k) FROM generate_series(1, 12000) n;
VACUUM ANALYZE notes;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM notes WHERE body = 'a text that nobody wrote';
