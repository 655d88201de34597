-- title: An OR with a subquery, which no index serves
-- finds: or-condition
-- names: UNION
-- [setup]
CREATE TABLE files (id int PRIMARY KEY, owner_id int NOT NULL, name text NOT NULL);
CREATE TABLE shares (file_id int NOT NULL, user_id int NOT NULL);
INSERT INTO files SELECT i, (i * 7919::bigint) % 3000, 'file ' || i FROM generate_series(1, 100000) i;
INSERT INTO shares SELECT i * 13 % 100000 + 1, i % 200 FROM generate_series(1, 4000) i;
CREATE INDEX ON files (owner_id);
CREATE INDEX ON shares (user_id);
ANALYZE files;
ANALYZE shares;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET jit = off;
-- [query]
SELECT id, name FROM files WHERE owner_id = 42 OR id IN (SELECT file_id FROM shares WHERE user_id = 42);
-- [follow]
-- Both sides on their own.
-- [query after]
SELECT id, name FROM files WHERE owner_id = 42 UNION SELECT f.id, f.name FROM files f JOIN shares s ON s.file_id = f.id WHERE s.user_id = 42;
