-- title: Tables that inherit from one, each with its index
-- finds: nothing
-- [setup]
CREATE TABLE readings (meter int NOT NULL, at timestamptz NOT NULL, v float8);
CREATE TABLE readings_a (CHECK (at < '2024-02-01')) INHERITS (readings);
CREATE TABLE readings_b (CHECK (at >= '2024-02-01' AND at < '2024-03-01')) INHERITS (readings);
INSERT INTO readings_a SELECT n % 5000, timestamptz '2024-01-01' + n * interval '10 s', n FROM generate_series(1, 50000) n;
INSERT INTO readings_b SELECT n % 5000, timestamptz '2024-02-01' + n * interval '10 s', n FROM generate_series(1, 50000) n;
CREATE INDEX ON readings_a (meter);
CREATE INDEX ON readings_b (meter);
VACUUM ANALYZE readings, readings_a, readings_b;
-- [query]
SELECT sum(v) FROM readings WHERE meter = 77;
