-- title: The range that holds an address, by two columns of which an index reads half
-- finds: index-not-used
-- names: order by first desc limit 1
-- names: geo_idx
-- [setup]
CREATE TABLE geo (first inet NOT NULL, last inet NOT NULL, country text NOT NULL);
INSERT INTO geo SELECT '1.0.0.0'::inet + n * 256::bigint, '1.0.0.255'::inet + n * 256::bigint, 'c' || n % 200 FROM generate_series(0, 60000) n;
CREATE INDEX geo_idx ON geo (first, last);
VACUUM ANALYZE geo;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT country FROM geo WHERE '1.220.3.4'::inet BETWEEN first AND last;
-- [follow]
-- The last one that begins before the address.
-- [query after]
SELECT country FROM (SELECT * FROM geo WHERE first <= '1.220.3.4'::inet ORDER BY first DESC LIMIT 1) g WHERE last >= '1.220.3.4'::inet;
