-- title: A list of pairs, and an index on both of each
-- finds: nothing
-- [setup]
CREATE TABLE houses (id int PRIMARY KEY, town int NOT NULL, street int NOT NULL, pad text NOT NULL);
INSERT INTO houses SELECT n, n * 7919::bigint % 60, n * 104729::bigint % 9001, repeat('h', 90) FROM generate_series(1, 120000) n;
CREATE INDEX houses_town_street_idx ON houses (town, street);
VACUUM ANALYZE houses;
-- [query]
SELECT id, pad FROM houses WHERE (town, street) IN ((3, 77), (4, 78), (5, 79));
