-- title: NOT IN with a subquery that fits into memory, of a column that is never NULL: no slower than NOT EXISTS
-- finds: nothing
-- [setup]
CREATE TABLE accounts (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO accounts SELECT i, 'name' || i FROM generate_series(1, 30000) i;
CREATE TABLE blocked (id int PRIMARY KEY, account_id int NOT NULL, note text NOT NULL);
INSERT INTO blocked SELECT i, i * 3, repeat('x', 20) FROM generate_series(1, 10000) i;
ANALYZE accounts, blocked;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT count(*) FROM accounts WHERE id NOT IN (SELECT account_id FROM blocked)
