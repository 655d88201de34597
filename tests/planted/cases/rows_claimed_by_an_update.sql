-- title: An UPDATE of the next jobs, which a subquery of the same table chooses
-- finds: seq-scan-filter
-- names: WHERE state = 'pending'
-- [setup]
CREATE TABLE outbox (id int PRIMARY KEY, topic text NOT NULL, state text NOT NULL, made int NOT NULL, pad text NOT NULL);
INSERT INTO outbox SELECT n, 't' || n % 5, CASE WHEN n % 200 < 2 THEN 'pending' ELSE 'done' END, n * 7919::bigint % 100003, repeat('o', 80) FROM generate_series(1, 100000) n;
VACUUM ANALYZE outbox;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
UPDATE outbox SET state = 'taken' WHERE id IN (SELECT id FROM outbox WHERE state = 'pending' AND topic = 't0' ORDER BY made LIMIT 10 FOR UPDATE SKIP LOCKED) RETURNING id;
