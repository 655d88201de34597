-- title: A range between the values of two subqueries: the planner expects few rows of both bounds together
-- finds: nothing
-- [setup]
CREATE TABLE runs (id int PRIMARY KEY, upto text NOT NULL);
CREATE TABLE lines (id int PRIMARY KEY, seen text NOT NULL, pad text NOT NULL);
INSERT INTO runs VALUES (1, 'key of the line 0099950');
INSERT INTO lines SELECT n, 'key of the line ' || lpad((n * 7919::bigint % 100003)::text, 7, '0'), repeat('l', 40) FROM generate_series(1, 100000) n;
CREATE INDEX lines_seen_idx ON lines (seen);
VACUUM ANALYZE runs, lines;
-- [query]
SELECT id, pad FROM lines WHERE seen > (SELECT max(upto) FROM runs) AND seen < 'key of the line 9';
