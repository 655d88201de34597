-- title: Deleting rows that a table without an index refers to
-- finds: triggers
-- names: lines_invoice_id_fkey
-- names: CREATE INDEX CONCURRENTLY ON lines (invoice_id)
-- [setup]
CREATE TABLE invoices (id int PRIMARY KEY, total int NOT NULL);
INSERT INTO invoices SELECT i, i % 500 FROM generate_series(1, 20000) i;
CREATE TABLE lines (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices, amount int NOT NULL);
INSERT INTO lines SELECT i, i % 19000 + 1, i % 50 FROM generate_series(1, 60000) i;
ANALYZE invoices, lines;
-- [query]
DELETE FROM invoices WHERE id > 19900
