-- title: A table read whole once for each row of another
-- finds: nested-loop-blow-up
-- names: shifts
-- [setup]
CREATE TABLE readings (id int PRIMARY KEY, taken int NOT NULL);
INSERT INTO readings SELECT i, i * 7 % 90000 FROM generate_series(1, 2000) i;
CREATE TABLE shifts (id int PRIMARY KEY, first int NOT NULL, last int NOT NULL);
INSERT INTO shifts SELECT i, i * 30, i * 30 + 29 FROM generate_series(1, 2000) i;
ANALYZE readings, shifts;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT count(*) FROM readings r CROSS JOIN LATERAL (SELECT s.id FROM shifts s WHERE s.first <= r.taken ORDER BY s.first DESC LIMIT 1) s
-- [follow]
CREATE INDEX ON shifts (first);
ANALYZE shifts;
