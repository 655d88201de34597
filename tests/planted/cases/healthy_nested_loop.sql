-- title: The orders of a few customers by an index, one lookup each
-- finds: nothing
-- [setup]
CREATE TABLE customers (id int PRIMARY KEY, city int NOT NULL);
INSERT INTO customers SELECT i, i % 500 FROM generate_series(1, 20000) i;
CREATE INDEX ON customers (city);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, total int NOT NULL);
INSERT INTO orders SELECT i, i % 20000 + 1, i % 90 FROM generate_series(1, 100000) i;
CREATE INDEX ON orders (customer_id);
ANALYZE customers, orders;
-- [query]
SELECT c.id, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.city = $1 GROUP BY c.id
-- [values]
typical: 42
absent: 900
