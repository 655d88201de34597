-- title: A subquery in the output of a page of ten, by an index
-- finds: nothing
-- [setup]
CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL);
INSERT INTO posts SELECT i, 'title' || i FROM generate_series(1, 5000) i;
CREATE TABLE comments (id int PRIMARY KEY, post_id int NOT NULL);
INSERT INTO comments SELECT i, i % 5000 FROM generate_series(1, 50000) i;
CREATE INDEX ON comments (post_id);
VACUUM ANALYZE posts, comments;
-- [query]
SELECT p.title, (SELECT count(*) FROM comments c WHERE c.post_id = p.id) FROM posts p ORDER BY p.id DESC LIMIT 10
