-- title: Two tables listed without a condition between them
-- finds: cartesian-product
-- names: languages
-- [setup]
CREATE TABLE books (id int PRIMARY KEY, language_id int NOT NULL, pages int NOT NULL);
INSERT INTO books SELECT i, i % 60, i % 700 FROM generate_series(1, 20000) i;
CREATE TABLE languages (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO languages SELECT i, 'language' || i FROM generate_series(0, 59) i;
ANALYZE books, languages;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT sum(b.pages), count(DISTINCT l.name) FROM books b, languages l WHERE b.pages > 10
-- [query after]
SELECT sum(b.pages), count(DISTINCT l.name) FROM books b JOIN languages l ON l.id = b.language_id WHERE b.pages > 10
