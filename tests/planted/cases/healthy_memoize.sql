-- title: Lookups that are answered from memory nearly always
-- finds: nothing
-- [setup]
CREATE TABLE countries (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO countries SELECT i, 'country' || i FROM generate_series(1, 50000) i;
CREATE TABLE people (id int PRIMARY KEY, country_id int NOT NULL);
INSERT INTO people SELECT i, i % 60 + 1 FROM generate_series(1, 30000) i;
ANALYZE countries, people;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT max(c.name) FROM people p JOIN countries c ON c.id = p.country_id
