-- title: A prefix, and an index in the order of a language
-- finds: index-not-used
-- names: people_name_idx
-- names: text_pattern_ops
-- needs: icu
-- [setup]
CREATE TABLE people (id int PRIMARY KEY, name text COLLATE "en-x-icu" NOT NULL, pad text NOT NULL);
INSERT INTO people SELECT n, md5(n::text), repeat('z', 60) FROM generate_series(1, 60000) n;
CREATE INDEX people_name_idx ON people (name);
VACUUM ANALYZE people;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM people WHERE name LIKE 'c4ca4%';
