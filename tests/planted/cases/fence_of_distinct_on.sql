-- title: A condition above DISTINCT ON, in a view
-- finds: late-filter
-- names: any (array(select mail from
-- [setup]
CREATE TABLE members (id int PRIMARY KEY, mail text NOT NULL, joined int NOT NULL);
INSERT INTO members SELECT n, 'm' || n % 60000 || '@example.org', n FROM generate_series(1, 90000) n;
CREATE INDEX ON members (mail, joined DESC);
CREATE VIEW newest AS SELECT DISTINCT ON (mail) id, mail, joined FROM members ORDER BY mail, joined DESC;
VACUUM ANALYZE members;
-- [query]
SELECT mail, joined FROM newest WHERE id = 70711
-- [query after]
SELECT mail, joined FROM newest WHERE id = 70711 AND mail = ANY (ARRAY(SELECT mail FROM members WHERE id = 70711))
