-- title: A range from the value of a subquery, which the planner does not know
-- finds: index-not-used
-- names: lines_seen_idx
-- names: known only when the statement runs
-- [setup]
CREATE TABLE runs (id int PRIMARY KEY, upto text NOT NULL);
CREATE TABLE lines (id int PRIMARY KEY, seen text NOT NULL, pad text NOT NULL);
INSERT INTO runs VALUES (1, 'key of the line 0099950');
INSERT INTO lines SELECT n, 'key of the line ' || lpad((n * 7919::bigint % 100003)::text, 7, '0'), repeat('l', 40) FROM generate_series(1, 100000) n;
CREATE INDEX lines_seen_idx ON lines (seen);
VACUUM ANALYZE runs, lines;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, pad FROM lines WHERE seen > (SELECT max(upto) FROM runs);
-- [query after]
SELECT id, pad FROM lines WHERE seen > (SELECT max(upto) FROM runs) AND seen < 'key of the line 9';
