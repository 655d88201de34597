-- title: A subquery in the output, run once for each row
-- finds: correlated-subquery
-- names: payments
-- [setup]
CREATE TABLE contracts (id int PRIMARY KEY, holder text NOT NULL);
INSERT INTO contracts SELECT i, 'holder' || i FROM generate_series(1, 2000) i;
CREATE TABLE payments (id int PRIMARY KEY, contract_id int NOT NULL, amount int NOT NULL);
INSERT INTO payments SELECT i, i % 2000 + 1, i % 90 FROM generate_series(1, 4000) i;
ANALYZE contracts, payments;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT c.holder, (SELECT sum(p.amount) FROM payments p WHERE p.contract_id = c.id) AS paid FROM contracts c
-- [query after]
SELECT c.holder, p.paid FROM contracts c LEFT JOIN (SELECT contract_id, sum(amount) AS paid FROM payments GROUP BY contract_id) p ON p.contract_id = c.id
