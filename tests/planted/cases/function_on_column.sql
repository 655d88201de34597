-- title: A function on the column keeps its index from being used
-- finds: function-on-column
-- names: lower(email)
-- [setup]
CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL, name text NOT NULL);
INSERT INTO people SELECT i, 'Person' || i || '@example.org', 'Person ' || i FROM generate_series(1, 100000) i;
CREATE INDEX people_email ON people (email);
ANALYZE people;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, name FROM people WHERE lower(email) = 'person4711@example.org';
-- [follow]
CREATE INDEX ON people (lower(email));
ANALYZE people;
