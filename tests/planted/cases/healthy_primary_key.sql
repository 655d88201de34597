-- title: A row by its primary key
-- finds: nothing
-- [setup]
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 100000) i;
VACUUM ANALYZE users;
-- [query]
SELECT id, name FROM users WHERE id = $1;
-- [values]
hot: 1
typical: 4711
absent: -1
