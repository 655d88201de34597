-- title: A number compared as text, as a driver without types sends it
-- finds: implicit-cast
-- names: customer_no
-- [setup]
CREATE TABLE customers (id int PRIMARY KEY, customer_no bigint NOT NULL, name text NOT NULL);
INSERT INTO customers SELECT i, 1000000 + i, 'customer ' || i FROM generate_series(1, 100000) i;
CREATE INDEX customers_no ON customers (customer_no);
ANALYZE customers;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, name FROM customers WHERE customer_no::text = '1004711';
-- [follow]
-- The value in the column's type.
-- [query after]
SELECT id, name FROM customers WHERE customer_no = 1004711;
