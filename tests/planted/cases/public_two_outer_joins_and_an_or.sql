-- title: Two LEFT JOINs for an OR
-- asked: http://mail.spinics.net/lists/pgsql-performance/msg12119.html
-- The answer there: a UNION of two queries is a hundred times as fast.
-- finds: outer-join-filter
-- names: UNION
-- [setup]
CREATE TABLE mails (id int PRIMARY KEY, receiver text NOT NULL);
CREATE TABLE nicknames (nickname text PRIMARY KEY, address text NOT NULL);
INSERT INTO nicknames SELECT 'nick' || n, 'real' || n || '@example.org' FROM generate_series(1, 3000) n;
INSERT INTO mails SELECT n, CASE WHEN n % 3 = 0 THEN 'nick' || n % 3000 ELSE 'real' || n || '@example.org' END FROM generate_series(1, 60000) n;
CREATE INDEX ON mails (receiver);
CREATE INDEX ON nicknames (address);
VACUUM ANALYZE mails, nicknames;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT m.id FROM mails m LEFT JOIN nicknames n ON n.nickname = m.receiver WHERE m.receiver = 'real4711@example.org' OR n.address = 'real4711@example.org'
-- [query after]
SELECT id FROM mails WHERE receiver = 'real4711@example.org' UNION SELECT m.id FROM mails m JOIN nicknames n ON n.nickname = m.receiver WHERE n.address = 'real4711@example.org'
