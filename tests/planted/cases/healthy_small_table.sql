-- title: A small table read whole
-- finds: nothing
-- [setup]
CREATE TABLE countries (code int PRIMARY KEY, name text NOT NULL, continent int NOT NULL);
INSERT INTO countries SELECT i, 'country ' || i, i % 7 FROM generate_series(1, 200) i;
VACUUM ANALYZE countries;
-- [query]
SELECT code, name FROM countries WHERE continent = 3;
