-- title: The nearest places by ST_Distance(), and a GiST index that only <-> uses
-- finds: top-n-sort
-- names: place <->
-- needs: postgis
-- [setup]
CREATE TABLE shops (id int PRIMARY KEY, place public.geometry NOT NULL);
INSERT INTO shops SELECT n, public.ST_MakePoint(n * 7919::bigint % 36007 / 100.0, n * 104729::bigint % 17011 / 100.0) FROM generate_series(1, 40000) n;
CREATE INDEX shops_place_idx ON shops USING gist (place);
VACUUM ANALYZE shops;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET jit = off;
-- [query]
SELECT id FROM shops ORDER BY public.ST_Distance(place, public.ST_MakePoint(134.1, 52.5)) LIMIT 5;
-- [query after]
SELECT id FROM shops ORDER BY place OPERATOR(public.<->) public.ST_MakePoint(134.1, 52.5) LIMIT 5;
