-- title: A rare text by a trigram index of GIN
-- finds: nothing
-- needs: pg_trgm
-- [setup]
CREATE TABLE letters (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO letters SELECT n, md5(n::text) FROM generate_series(1, 20000) n;
UPDATE letters SET body = body || ' rosebud' WHERE id % 2000 = 0;
CREATE INDEX ON letters USING gin (body gin_trgm_ops);
VACUUM ANALYZE letters;
-- [query]
SELECT id FROM letters WHERE body LIKE '%rosebud%'
