-- title: The nearest points by a GiST index
-- finds: nothing
-- [setup]
CREATE TABLE shops (id int PRIMARY KEY, place point NOT NULL, pad text NOT NULL);
INSERT INTO shops SELECT n, point(n * 7919::bigint % 10007, n * 104729::bigint % 9973), repeat('z', 60) FROM generate_series(1, 60000) n;
CREATE INDEX ON shops USING gist (place);
VACUUM ANALYZE shops;
-- [query]
SELECT id FROM shops ORDER BY place <-> point(500, 500) LIMIT 5;
