-- title: A text search that does not name its configuration, beside an index that does
-- finds: index-not-used
-- names: to_tsvector('english', body)
-- names: articles_fts
-- [setup]
CREATE TABLE articles (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO articles SELECT n, 'word' || n || ' other text' FROM generate_series(1, 20000) n;
CREATE INDEX articles_fts ON articles USING gin (to_tsvector('english', body));
VACUUM ANALYZE articles;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM articles WHERE to_tsvector(body) @@ to_tsquery('word77');
-- [follow]
-- The configuration is named.
-- [query after]
SELECT id FROM articles WHERE to_tsvector('english', body) @@ to_tsquery('word77');
