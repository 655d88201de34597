-- title: LIKE that begins with letters, no index
-- finds: seq-scan-filter
-- names: word
-- [setup]
CREATE TABLE words (id int PRIMARY KEY, word text NOT NULL);
INSERT INTO words SELECT i, md5(i::text) FROM generate_series(1, 100000) i;
ANALYZE words;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, word FROM words WHERE word LIKE 'c4ca%';
-- [follow]
CREATE INDEX ON words (word text_pattern_ops);
