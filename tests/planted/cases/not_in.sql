-- title: NOT IN with a subquery that returns a nullable column and does not fit into memory
-- finds: not-in
-- names: NOT EXISTS
-- [setup]
CREATE TABLE accounts (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO accounts SELECT i, 'name' || i FROM generate_series(1, 1000) i;
CREATE TABLE blocked (id int PRIMARY KEY, account_id int, note text NOT NULL);
INSERT INTO blocked SELECT i, i % 800, repeat('x', 20) FROM generate_series(1, 30000) i;
ANALYZE accounts, blocked;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '64kB'
-- [query]
SELECT count(*) FROM accounts WHERE id NOT IN (SELECT account_id FROM blocked)
-- [query after]
SELECT count(*) FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM blocked b WHERE b.account_id = a.id)
