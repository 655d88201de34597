-- title: A subquery for each row, by whose result the first ten are chosen
-- finds: correlated-subquery
-- names: grouped by its key
-- [setup]
CREATE TABLE books (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE loans (id int PRIMARY KEY, book int NOT NULL);
INSERT INTO books SELECT n, 'book ' || n FROM generate_series(1, 20000) n;
INSERT INTO loans SELECT n, 1 + n * 7919::bigint % 20000 FROM generate_series(1, 100000) n;
CREATE INDEX loans_book_idx ON loans (book);
VACUUM ANALYZE books, loans;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT b.id, (SELECT count(*) FROM loans l WHERE l.book = b.id) AS loans FROM books b ORDER BY loans DESC LIMIT 10;
-- [query after]
SELECT b.id, coalesce(l.loans, 0) AS loans FROM books b LEFT JOIN (SELECT book, count(*) AS loans FROM loans GROUP BY book) l ON l.book = b.id ORDER BY loans DESC LIMIT 10;
