-- title: The first twenty in the order of a language, and an index in the column's own order
-- finds: top-n-sort
-- names: name COLLATE "en-x-icu"
-- needs: icu
-- [setup]
CREATE TABLE guests (id int PRIMARY KEY, name text NOT NULL, pad text NOT NULL);
INSERT INTO guests SELECT n, md5(n::text), repeat('g', 60) FROM generate_series(1, 60000) n;
CREATE INDEX guests_name_idx ON guests (name);
VACUUM ANALYZE guests;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, name FROM guests ORDER BY name COLLATE "en-x-icu" LIMIT 20;
