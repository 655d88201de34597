-- title: A column of a domain over text, compared as the text that it is
-- finds: seq-scan-filter
-- names: stays_zip_idx
-- [setup]
CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]{5}$');
CREATE TABLE stays (id int PRIMARY KEY, zip zip NOT NULL, pad text NOT NULL);
INSERT INTO stays SELECT n, (10000 + n % 80000)::text::zip, repeat('z', 60) FROM generate_series(1, 100000) n;
VACUUM ANALYZE stays;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM stays WHERE zip = '12345';
