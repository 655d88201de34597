-- title: Sums of all orders, joined with three of them
-- asked: https://newbe.dev/does-postgres-optimize-this-join-with-subquery
-- The answer there: repeat the condition inside the grouping, or ask by LATERAL.
-- finds: joined-in-vain
-- names: LATERAL
-- [setup]
CREATE TABLE purchases (id int PRIMARY KEY, number text NOT NULL);
CREATE TABLE positions (id int PRIMARY KEY, purchase int NOT NULL, pieces int NOT NULL);
INSERT INTO purchases SELECT n, 'PO ' || n FROM generate_series(1, 20000) n;
INSERT INTO positions SELECT n, 1 + n * 7919::bigint % 20000, n % 13 FROM generate_series(1, 90000) n;
CREATE INDEX ON positions (purchase);
VACUUM ANALYZE purchases, positions;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT p.number, sum(i.pieces) FROM purchases p LEFT JOIN (SELECT purchase, sum(pieces) AS pieces FROM positions GROUP BY purchase) i ON i.purchase = p.id WHERE p.id IN (1, 20, 300) GROUP BY p.number
-- [query after]
SELECT p.number, sum(i.pieces) FROM purchases p LEFT JOIN (SELECT purchase, sum(pieces) AS pieces FROM positions WHERE purchase IN (1, 20, 300) GROUP BY purchase) i ON i.purchase = p.id WHERE p.id IN (1, 20, 300) GROUP BY p.number
