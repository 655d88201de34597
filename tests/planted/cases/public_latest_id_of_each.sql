-- title: The row with the greatest id of each of a few options
-- asked: https://codedump.io/share/4iKXjc6BpDoU/1/optimize-groupwise-maximum-query
-- finds: first-of-each
-- names: LATERAL
-- [setup]
CREATE TABLE options (id int PRIMARY KEY);
CREATE TABLE entries (id int PRIMARY KEY, option int NOT NULL, note text NOT NULL);
INSERT INTO options SELECT generate_series(0, 79);
INSERT INTO entries SELECT n, n * 7919::bigint % 80, 'note ' || n FROM generate_series(1, 100000) n;
CREATE INDEX ON entries (option, id DESC);
VACUUM ANALYZE options, entries;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT * FROM entries WHERE id IN (SELECT max(id) FROM entries GROUP BY option)
-- [query after]
SELECT e.* FROM options o CROSS JOIN LATERAL (SELECT * FROM entries WHERE option = o.id ORDER BY id DESC LIMIT 1) e
