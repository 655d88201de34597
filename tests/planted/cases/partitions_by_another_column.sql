-- title: Rows by their keys in a table that is partitioned by time
-- finds: partitions-not-pruned
-- names: partition key
-- [setup]
CREATE TABLE letters (id int NOT NULL, sent_at date NOT NULL, label text NOT NULL) PARTITION BY RANGE (sent_at);
DO $$ BEGIN
  FOR d IN 0..23 LOOP
    EXECUTE format('CREATE TABLE letters_%s PARTITION OF letters FOR VALUES FROM (%L) TO (%L)', d, date '2026-01-01' + d, date '2026-01-02' + d);
  END LOOP;
END $$;
INSERT INTO letters SELECT i, date '2026-01-01' + i % 24, 'letter ' || i FROM generate_series(1, 48000) i;
CREATE INDEX ON letters (id);
VACUUM ANALYZE letters;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
-- [query]
SELECT label FROM letters WHERE id = ANY (ARRAY(SELECT generate_series(24, 48000, 24)));
-- [follow]
-- The day is known where the numbers are.
-- [query after]
SELECT label FROM letters WHERE id = ANY (ARRAY(SELECT generate_series(24, 48000, 24))) AND sent_at = date '2026-01-01';
