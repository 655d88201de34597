-- title: A row of settings put beside each row on purpose
-- finds: nothing
-- [setup]
CREATE TABLE prices (id int PRIMARY KEY, cents int NOT NULL);
INSERT INTO prices SELECT i, i % 900 FROM generate_series(1, 30000) i;
CREATE TABLE settings (rate numeric NOT NULL);
INSERT INTO settings VALUES (1.19);
ANALYZE prices, settings;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT sum(p.cents * s.rate) FROM prices p CROSS JOIN settings s
