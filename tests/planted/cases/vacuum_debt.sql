-- title: An index-only scan that visits the heap since nothing was vacuumed
-- finds: heap-fetches
-- names: VACUUM
-- needs: counts
-- names: payments
-- [setup]
CREATE TABLE payments (id int PRIMARY KEY, account_id int NOT NULL, cents int NOT NULL, reference text NOT NULL)
  WITH (autovacuum_enabled = off);
INSERT INTO payments SELECT i, (i * 7919::bigint) % 12, i % 700, repeat('r', 150) FROM generate_series(1, 120000) i;
CREATE INDEX payments_account_cents ON payments (account_id, cents);
VACUUM ANALYZE payments;
UPDATE payments SET reference = reference || '!' WHERE id % 2 = 0;
ANALYZE payments;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET enable_bitmapscan = off;
SET enable_seqscan = off;
-- [query]
SELECT sum(cents) FROM payments WHERE account_id = 7;
-- [follow]
VACUUM payments;
