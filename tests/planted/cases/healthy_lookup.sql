-- title: One row by its key, once
-- finds: nothing
-- executions: 1
-- [setup]
CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO authors SELECT i, 'author' || i FROM generate_series(1, 20000) i;
ANALYZE authors;
-- [query]
SELECT name FROM authors WHERE id = $1
-- [values]
typical: 4711
absent: -1
