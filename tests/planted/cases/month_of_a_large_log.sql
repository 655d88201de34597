-- title: A month of a large table whose rows are in the order of their time
-- finds: seq-scan-filter
-- names: using brin (at)
-- [setup]
CREATE TABLE entries (at timestamptz NOT NULL, level int NOT NULL);
INSERT INTO entries SELECT timestamptz '2024-01-01' + n * interval '30 s', n % 5 FROM generate_series(1, 1100000) n;
VACUUM ANALYZE entries;
-- [query]
SELECT count(level) FROM entries WHERE at >= '2024-06-01' AND at < '2024-07-01';
