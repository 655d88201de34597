-- title: One partition of twelve, the others left out
-- finds: nothing
-- [setup]
CREATE TABLE meter (day date NOT NULL, device_id int NOT NULL, value int NOT NULL, PRIMARY KEY (device_id, day)) PARTITION BY RANGE (day);
DO $$ BEGIN FOR month IN 1..12 LOOP
  EXECUTE format('CREATE TABLE meter_%s PARTITION OF meter FOR VALUES FROM (%L) TO (%L)', month,
    make_date(2025, month, 1), make_date(2025, month, 1) + interval '1 month');
END LOOP; END $$;
INSERT INTO meter SELECT date '2025-01-01' + i % 365, i / 365, i % 50 FROM generate_series(1, 100000) i;
VACUUM ANALYZE meter;
-- [query]
SELECT day, value FROM meter WHERE device_id = 77 AND day >= '2025-03-01' AND day < '2025-04-01';
