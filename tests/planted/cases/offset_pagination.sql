-- title: A late page by OFFSET
-- finds: large-offset
-- names: OFFSET
-- [setup]
CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL);
INSERT INTO posts SELECT i, 'post ' || i FROM generate_series(1, 150000) i;
VACUUM ANALYZE posts;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, title FROM posts ORDER BY id LIMIT 20 OFFSET 120000;
-- [follow]
-- The last id of the page before is known.
-- [query after]
SELECT id, title FROM posts WHERE id > 120000 ORDER BY id LIMIT 20;
