-- title: The first twenty in the order of a language, by an index in that order
-- finds: nothing
-- needs: icu
-- [setup]
CREATE TABLE guests (id int PRIMARY KEY, name text NOT NULL, pad text NOT NULL);
INSERT INTO guests SELECT n, md5(n::text), repeat('g', 60) FROM generate_series(1, 60000) n;
CREATE INDEX guests_name_idx ON guests (name COLLATE "en-x-icu");
VACUUM ANALYZE guests;
-- [query]
SELECT id, name FROM guests ORDER BY name COLLATE "en-x-icu" LIMIT 20;
