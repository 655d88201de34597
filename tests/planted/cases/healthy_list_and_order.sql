-- title: Equality, then the order, with the list checked on the way
-- finds: nothing
-- [setup]
CREATE TABLE reports (id int PRIMARY KEY, org int NOT NULL, phase int NOT NULL, made int NOT NULL, pad text);
INSERT INTO reports SELECT n, CASE WHEN made < 30000 THEN 5 ELSE n % 300 + 10 END, n % 10, made, repeat('r', 80)
FROM (SELECT n, (n * 7919::bigint % 200000)::int AS made FROM generate_series(1, 200000) n) x;
CREATE INDEX reports_org_made_idx ON reports (org, made DESC);
VACUUM ANALYZE reports;
-- [query]
SELECT id, pad FROM reports WHERE org = 5 AND phase IN (0, 1, 2, 4, 7) ORDER BY made DESC LIMIT 20;
