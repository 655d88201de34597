-- title: A condition on an expression, of which the planner knows nothing
-- finds: misestimate
-- needs: counts
-- names: CREATE STATISTICS
-- [setup]
CREATE TABLE visits (id int PRIMARY KEY, page text NOT NULL, seen timestamp NOT NULL);
INSERT INTO visits SELECT i, 'page' || i % 50, timestamp '2026-01-01' + i * interval '20 seconds' FROM generate_series(1, 100000) i;
CREATE TABLE clicks (id int PRIMARY KEY, visit_id int NOT NULL, button text NOT NULL);
INSERT INTO clicks SELECT i, i, 'button' || i % 7 FROM generate_series(1, 100000) i;
CREATE INDEX clicks_visit ON clicks (visit_id);
ANALYZE visits, clicks;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT c.button, count(*) FROM visits v JOIN clicks c ON c.visit_id = v.id
WHERE date_part('dow', v.seen) + date_part('year', v.seen) >= 2026 AND date_part('year', v.seen) = 2026 GROUP BY c.button
