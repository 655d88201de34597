-- title: An estimate that is far off, with nothing that was chosen on it
-- finds: nothing
-- needs: counts
-- [setup]
CREATE TABLE visits (id int PRIMARY KEY, seen timestamp NOT NULL);
INSERT INTO visits SELECT i, timestamp '2026-01-01' + i * interval '20 seconds' FROM generate_series(1, 50000) i;
ANALYZE visits;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT count(*) FROM visits WHERE date_part('year', seen) = 2026
