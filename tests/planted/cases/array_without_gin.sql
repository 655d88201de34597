-- title: Rows by an element of an array, no index
-- finds: seq-scan-filter
-- names: tags
-- names: gin
-- [setup]
CREATE TABLE articles (id int PRIMARY KEY, tags text[] NOT NULL, title text NOT NULL);
INSERT INTO articles SELECT i, ARRAY['tag' || i % 3000, 'tag' || i % 7], 'title ' || i FROM generate_series(1, 100000) i;
ANALYZE articles;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, title FROM articles WHERE tags @> ARRAY['tag2500'];
-- [follow]
CREATE INDEX ON articles USING gin (tags);
