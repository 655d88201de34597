-- title: Rows by a key of a document, no index
-- finds: function-on-column
-- names: body ->> 'owner'
-- [setup]
CREATE TABLE documents (id int PRIMARY KEY, body jsonb NOT NULL);
INSERT INTO documents SELECT i, jsonb_build_object('owner', 'user' || i % 4000, 'pages', i % 90) FROM generate_series(1, 80000) i;
ANALYZE documents;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM documents WHERE body ->> 'owner' = 'user77';
-- [follow]
CREATE INDEX ON documents ((body ->> 'owner'));
ANALYZE documents;
