-- title: A sort in memory
-- finds: nothing
-- [setup]
CREATE TABLE tracks (id int PRIMARY KEY, plays int NOT NULL);
INSERT INTO tracks SELECT i, i * 7919::bigint % 100003 FROM generate_series(1, 9000) i;
ANALYZE tracks;
-- [session]
SET work_mem = '16MB'
-- [query]
SELECT id, plays FROM tracks ORDER BY plays, id
