-- title: The two bounds of a range, each compared by itself
-- finds: function-on-column
-- names: during @>
-- names: USING gist
-- [setup]
CREATE TABLE stays (id int PRIMARY KEY, during tsrange NOT NULL, pad text NOT NULL);
INSERT INTO stays SELECT n, tsrange(t, t + interval '2 days'), repeat('s', 80)
FROM (SELECT n, timestamp '2020-01-01' + n * interval '11 minutes' AS t FROM generate_series(1, 60000) n) x;
VACUUM ANALYZE stays;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, pad FROM stays WHERE lower(during) <= timestamp '2020-05-05' AND upper(during) > timestamp '2020-05-05';
-- [query after]
SELECT id, pad FROM stays WHERE during @> timestamp '2020-05-05';
