-- title: A text that is cast to jsonb to be searched
-- finds: seq-scan-filter
-- names: (body)::jsonb
-- names: jsonb_path_ops
-- [setup]
CREATE TABLE papers (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO papers SELECT n, jsonb_build_object('kind', n % 9000, 'title', repeat('t', 40))::text FROM generate_series(1, 40000) n;
VACUUM ANALYZE papers;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM papers WHERE body::jsonb @> '{"kind": 77}';
