-- title: A sum over most of a table, which has to be read
-- finds: nothing
-- [setup]
CREATE TABLE invoices (id int PRIMARY KEY, paid boolean NOT NULL, region int NOT NULL, cents int NOT NULL);
INSERT INTO invoices SELECT i, i % 10 <> 0, i % 25, i % 8000 FROM generate_series(1, 150000) i;
VACUUM ANALYZE invoices;
-- [query]
SELECT region, sum(cents) FROM invoices WHERE paid GROUP BY region;
