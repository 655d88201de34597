-- title: A bitmap that work_mem makes forget the rows
-- finds: lossy-bitmap
-- names: work_mem
-- [setup]
CREATE TABLE ticks (id int PRIMARY KEY, symbol int NOT NULL, price int NOT NULL, note text NOT NULL);
INSERT INTO ticks SELECT i, (i * 7919::bigint) % 60, i % 1000, repeat('t', 120) FROM generate_series(1, 200000) i;
CREATE INDEX ticks_symbol ON ticks (symbol);
VACUUM ANALYZE ticks;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '64kB';
-- [query]
SELECT sum(price) FROM ticks WHERE symbol = 17;
-- [follow]
SET work_mem = '16MB';
