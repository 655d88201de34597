-- title: A list of states beside an order: in front of it in the index it would take the order away
-- finds: order-by-limit-wrong-index
-- names: (org, made desc)
-- [setup]
CREATE TABLE reports (id int PRIMARY KEY, org int NOT NULL, phase int NOT NULL, made int NOT NULL, pad text);
INSERT INTO reports SELECT n, CASE WHEN made < 30000 THEN 5 ELSE n % 300 + 10 END, n % 10, made, repeat('r', 80)
FROM (SELECT n, (n * 7919::bigint % 200000)::int AS made FROM generate_series(1, 200000) n) x;
CREATE INDEX reports_made_idx ON reports (made);
CREATE INDEX reports_org_idx ON reports (org);
VACUUM ANALYZE reports;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, pad FROM reports WHERE org = 5 AND phase IN (0, 1, 2, 4, 7) ORDER BY made DESC LIMIT 20;
