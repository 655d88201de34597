-- title: Columns put together and compared: no index can hold what concat() gives
-- finds: function-on-column
-- names: compare series and number instead
-- [setup]
CREATE TABLE tickets (id int PRIMARY KEY, series text NOT NULL, number text NOT NULL, pad text NOT NULL);
INSERT INTO tickets SELECT n, 's' || n % 40, lpad(n::text, 7, '0'), repeat('t', 60) FROM generate_series(1, 60000) n;
CREATE INDEX tickets_number_idx ON tickets (number);
VACUUM ANALYZE tickets;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM tickets WHERE concat(series, '-', number) = 's7-0000047';
-- [query after]
SELECT id FROM tickets WHERE series = 's7' AND number = '0000047';
