-- title: A late page by the last id of the page before
-- finds: nothing
-- [setup]
CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL);
INSERT INTO posts SELECT i, 'post ' || i FROM generate_series(1, 100000) i;
VACUUM ANALYZE posts;
-- [query]
SELECT id, title FROM posts WHERE id > $1 ORDER BY id LIMIT 20;
-- [values]
hot: 0
cold: 90000
