-- title: A window function over the rows of one key
-- finds: nothing
-- [setup]
CREATE TABLE laps (id int PRIMARY KEY, runner int NOT NULL, seconds int NOT NULL);
INSERT INTO laps SELECT n, n % 3000, n * 31 % 997 FROM generate_series(1, 60000) n;
CREATE INDEX ON laps (runner);
VACUUM ANALYZE laps;
-- [query]
SELECT id, place FROM (SELECT id, runner, rank() OVER (PARTITION BY runner ORDER BY seconds) AS place FROM laps) r WHERE runner = 42 AND place <= 3
