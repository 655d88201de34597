-- title: Overlapping ranges, no index
-- finds: seq-scan-filter
-- names: using gist (during)
-- [setup]
CREATE TABLE stays (id int PRIMARY KEY, during tstzrange NOT NULL, pad text NOT NULL);
INSERT INTO stays SELECT n, tstzrange(t, t + interval '2 h'), repeat('z', 60)
FROM generate_series(1, 60000) n, LATERAL (SELECT timestamptz '2024-01-01' + n * interval '7 min' AS t) x;
VACUUM ANALYZE stays;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM stays WHERE during && tstzrange('2024-03-01', '2024-03-02');
