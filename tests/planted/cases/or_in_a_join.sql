-- title: An OR in a join condition: every pair of rows is compared
-- finds: join-filter
-- names: OR
-- [setup]
CREATE TABLE transfers (id int PRIMARY KEY, sender int NOT NULL, receiver int NOT NULL, amount int NOT NULL);
INSERT INTO transfers SELECT i, i % 2000, i * 31 % 2000, i % 100 FROM generate_series(1, 4000) i;
CREATE TABLE watched (account int NOT NULL, reason text NOT NULL);
INSERT INTO watched SELECT i * 2, 'reason' || i % 3 FROM generate_series(1, 1000) i;
ANALYZE transfers, watched;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT w.reason, sum(t.amount) FROM transfers t JOIN watched w ON t.sender = w.account OR t.receiver = w.account GROUP BY w.reason
-- [query after]
SELECT reason, sum(amount) FROM (
    SELECT t.id, w.account, w.reason, t.amount FROM transfers t JOIN watched w ON t.sender = w.account
    UNION
    SELECT t.id, w.account, w.reason, t.amount FROM transfers t JOIN watched w ON t.receiver = w.account
) matched GROUP BY reason
