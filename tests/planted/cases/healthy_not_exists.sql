-- title: NOT EXISTS, an anti join
-- finds: nothing
-- [setup]
CREATE TABLE accounts (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO accounts SELECT i, 'name' || i FROM generate_series(1, 5000) i;
CREATE TABLE blocked (id int PRIMARY KEY, account_id int, note text NOT NULL);
INSERT INTO blocked SELECT i, i % 4000, 'note' FROM generate_series(1, 8000) i;
ANALYZE accounts, blocked;
-- [session]
SET work_mem = '16MB'
-- [query]
SELECT count(*) FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM blocked b WHERE b.account_id = a.id)
