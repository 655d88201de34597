-- title: An upsert by the primary key
-- finds: nothing
-- [setup]
CREATE TABLE counters (key int PRIMARY KEY, hits int NOT NULL);
INSERT INTO counters SELECT i, 0 FROM generate_series(1, 50000) i;
VACUUM ANALYZE counters;
-- [query]
INSERT INTO counters VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET hits = counters.hits + 1;
-- [values]
hot: 77
absent: -1
