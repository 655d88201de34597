-- title: The smallest value of a column without index
-- finds: count-everything
-- names: cents
-- [setup]
CREATE TABLE offers (id int PRIMARY KEY, cents int NOT NULL, label text NOT NULL);
INSERT INTO offers SELECT i, (i * 7919::bigint) % 100003 + 5, repeat('o', 40) FROM generate_series(1, 150000) i;
ANALYZE offers;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT min(cents), max(cents) FROM offers;
-- [follow]
CREATE INDEX ON offers (cents);
