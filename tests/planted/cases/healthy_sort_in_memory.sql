-- title: A sort of a few thousand rows, in memory
-- finds: nothing
-- [setup]
CREATE TABLE members (id int PRIMARY KEY, club_id int NOT NULL, name text NOT NULL);
INSERT INTO members SELECT i, i % 40, md5(i::text) FROM generate_series(1, 60000) i;
CREATE INDEX members_club ON members (club_id);
VACUUM ANALYZE members;
-- [query]
SELECT id, name FROM members WHERE club_id = 7 ORDER BY name;
