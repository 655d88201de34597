-- title: Rows that have a match, by a semi join
-- finds: nothing
-- [setup]
CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 30000) i;
CREATE TABLE books (id int PRIMARY KEY, author_id int NOT NULL);
INSERT INTO books SELECT i, (i * 7919::bigint) % 20000 + 1 FROM generate_series(1, 60000) i;
CREATE INDEX books_author ON books (author_id);
VACUUM ANALYZE authors;
VACUUM ANALYZE books;
-- [query]
SELECT count(*) FROM authors a WHERE EXISTS (SELECT FROM books b WHERE b.author_id = a.id);
