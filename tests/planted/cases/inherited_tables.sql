-- title: Tables that inherit from one: each needs an index of its own
-- finds: seq-scan-filter
-- names: readings_a_meter_idx
-- names: readings_b (meter)
-- names: readings_c (meter)
-- names: inheritance
-- [setup]
CREATE TABLE readings (meter int NOT NULL, at timestamptz NOT NULL, v float8);
CREATE TABLE readings_a (CHECK (at < '2024-02-01')) INHERITS (readings);
CREATE TABLE readings_b (CHECK (at >= '2024-02-01' AND at < '2024-03-01')) INHERITS (readings);
CREATE TABLE readings_c (CHECK (at >= '2024-03-01')) INHERITS (readings);
INSERT INTO readings_a SELECT n % 5000, timestamptz '2024-01-01' + n * interval '10 s', n FROM generate_series(1, 50000) n;
INSERT INTO readings_b SELECT n % 5000, timestamptz '2024-02-01' + n * interval '10 s', n FROM generate_series(1, 50000) n;
INSERT INTO readings_c SELECT n % 5000, timestamptz '2024-03-01' + n * interval '10 s', n FROM generate_series(1, 50000) n;
VACUUM ANALYZE readings, readings_a, readings_b, readings_c;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT sum(v) FROM readings WHERE meter = 77;
