-- title: HAVING count() = 0 after a LEFT JOIN
-- finds: having-filter
-- names: NOT EXISTS
-- [setup]
CREATE TABLE patrons (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE loans (id int PRIMARY KEY, patron int NOT NULL, note text NOT NULL);
INSERT INTO patrons SELECT n, 'p' || n FROM generate_series(1, 20000) n;
INSERT INTO loans SELECT n, 1 + n % 19990, repeat('n', 180) FROM generate_series(1, 60000) n;
CREATE INDEX ON loans (patron);
VACUUM ANALYZE patrons, loans;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT p.id FROM patrons p LEFT JOIN loans l ON l.patron = p.id GROUP BY p.id HAVING count(l.id) = 0
-- [query after]
SELECT p.id FROM patrons p WHERE NOT EXISTS (SELECT FROM loans l WHERE l.patron = p.id)
