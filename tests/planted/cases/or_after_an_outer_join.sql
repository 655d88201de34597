-- title: An OR across both tables of a LEFT JOIN
-- finds: outer-join-filter
-- names: UNION
-- [setup]
CREATE TABLE owners (id int PRIMARY KEY, mail text NOT NULL);
CREATE TABLE boats (id int PRIMARY KEY, owner int, code text NOT NULL);
INSERT INTO owners SELECT n, 'o' || n || '@example.org' FROM generate_series(1, 20000) n;
INSERT INTO boats SELECT n, 1 + n % 20000, 'B' || n FROM generate_series(1, 60000) n;
CREATE INDEX ON owners (mail);
CREATE INDEX ON boats (code);
CREATE INDEX ON boats (owner);
VACUUM ANALYZE owners, boats;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT b.id FROM boats b LEFT JOIN owners o ON o.id = b.owner WHERE b.code = 'B4711' OR o.mail = 'o99@example.org'
-- [query after]
SELECT b.id FROM boats b WHERE b.code = 'B4711' UNION SELECT b.id FROM boats b JOIN owners o ON o.id = b.owner WHERE o.mail = 'o99@example.org'
