-- title: A range of rows that lie side by side, by their index
-- finds: nothing
-- [setup]
CREATE TABLE entries (id int PRIMARY KEY, amount int NOT NULL);
INSERT INTO entries SELECT i, i % 700 FROM generate_series(1, 150000) i;
VACUUM ANALYZE entries;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT sum(amount) FROM entries WHERE id BETWEEN 40000 AND 60000;
