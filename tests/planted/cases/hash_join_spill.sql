-- title: A hash join that does not fit into work_mem
-- finds: hash-spill
-- names: work_mem
-- [setup]
CREATE TABLE members (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO members SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 150000) i;
CREATE TABLE visits (id int PRIMARY KEY, member_id int NOT NULL, gate int NOT NULL);
INSERT INTO visits SELECT i, (i * 7919::bigint % 150000) + 1, i % 5 FROM generate_series(1, 200000) i;
ANALYZE members, visits;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '2MB'
-- [query]
SELECT v.gate, max(m.name) FROM visits v JOIN members m ON m.id = v.member_id GROUP BY v.gate
