-- title: More workers planned than the server could start: good to know, no more
-- finds: nothing
-- [setup]
CREATE TABLE pixels (id int NOT NULL, red int NOT NULL);
INSERT INTO pixels SELECT i, i % 256 FROM generate_series(1, 100000) i;
ANALYZE pixels;
-- [session]
SET max_parallel_workers = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0
-- [query]
SELECT red, count(*) FROM pixels GROUP BY red
