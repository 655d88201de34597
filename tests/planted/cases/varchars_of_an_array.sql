-- title: A value sought in an array of varchar, as an object mapper writes it
-- finds: index-not-used
-- names: tags @> array['k77']::varchar[]
-- names: index_letters_on_tags
-- [setup]
CREATE TABLE letters (id bigint PRIMARY KEY, tags varchar[] NOT NULL, subject text NOT NULL);
INSERT INTO letters SELECT n, ARRAY['k' || n % 5000, 'm' || n % 11], repeat('q', 40) FROM generate_series(1, 60000) n;
CREATE INDEX index_letters_on_tags ON letters USING gin (tags);
VACUUM ANALYZE letters;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT letters.* FROM letters WHERE ('k77' = ANY (tags));
-- [follow]
-- The condition as the index serves it.
-- [query after]
SELECT letters.* FROM letters WHERE tags @> ARRAY['k77']::varchar[];
