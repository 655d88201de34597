-- title: lower() around the column and the pattern, beside an index of trigrams of the column
-- finds: index-not-used
-- names: title ilike '%c4ca42%'
-- names: films_title_trgm
-- needs: pg_trgm
-- [setup]
CREATE TABLE films (id bigint PRIMARY KEY, title varchar(200) NOT NULL);
INSERT INTO films SELECT n, 'Film ' || md5(n::text) FROM generate_series(1, 60000) n;
CREATE INDEX films_title_trgm ON films USING gin (title gin_trgm_ops);
VACUUM ANALYZE films;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT f.id, f.title FROM films f WHERE lower(f.title) LIKE lower('%C4CA42%');
-- [follow]
-- Both in any case.
-- [query after]
SELECT f.id, f.title FROM films f WHERE f.title ILIKE '%C4CA42%';
