-- title: A bitmap scan that remembers every row
-- finds: nothing
-- [setup]
CREATE TABLE photos (id int PRIMARY KEY, album_id int NOT NULL, path text NOT NULL);
INSERT INTO photos SELECT i, (i * 7919::bigint) % 800, 'path ' || i FROM generate_series(1, 100000) i;
CREATE INDEX photos_album ON photos (album_id);
VACUUM ANALYZE photos;
-- [query]
SELECT id, path FROM photos WHERE album_id = 77;
