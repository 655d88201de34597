-- title: Overlapping ranges by a GiST index
-- finds: nothing
-- [setup]
CREATE TABLE stays (id int PRIMARY KEY, during tstzrange NOT NULL, pad text NOT NULL);
INSERT INTO stays SELECT n, tstzrange(t, t + interval '2 h'), repeat('z', 60)
FROM generate_series(1, 60000) n, LATERAL (SELECT timestamptz '2024-01-01' + n * interval '7 min' AS t) x;
CREATE INDEX ON stays USING gist (during);
VACUUM ANALYZE stays;
-- [query]
SELECT id FROM stays WHERE during && tstzrange('2024-03-01', '2024-03-02');
