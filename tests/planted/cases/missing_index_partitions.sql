-- title: A few rows of all partitions, none of which has an index
-- finds: seq-scan-filter
-- names: user_id
-- [setup]
CREATE TABLE clicks (id int NOT NULL, user_id int NOT NULL, clicked_at date NOT NULL) PARTITION BY RANGE (clicked_at);
DO $$ BEGIN
  FOR m IN 1..8 LOOP
    EXECUTE format('CREATE TABLE clicks_%s PARTITION OF clicks FOR VALUES FROM (%L) TO (%L)', m, make_date(2026, m, 1), make_date(2026, m + 1, 1));
  END LOOP;
END $$;
INSERT INTO clicks SELECT i, (i * 7919::bigint) % 5000, date '2026-01-01' + i % 240 FROM generate_series(1, 120000) i;
ANALYZE clicks;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, clicked_at FROM clicks WHERE user_id = $1;
-- [values]
typical: 4711
absent: -1
-- [follow]
CREATE INDEX ON clicks (user_id);
