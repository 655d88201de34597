-- title: A few rows joined by the index of the other table
-- finds: nothing
-- [setup]
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL);
INSERT INTO orders SELECT i, (i * 7919::bigint) % 2500 FROM generate_series(1, 25000) i;
CREATE INDEX orders_customer ON orders (customer_id);
CREATE TABLE lines (id int PRIMARY KEY, order_id int NOT NULL, cents int NOT NULL);
INSERT INTO lines SELECT i, i % 25000 + 1, i % 4000 FROM generate_series(1, 100000) i;
CREATE INDEX lines_order ON lines (order_id);
VACUUM ANALYZE orders;
VACUUM ANALYZE lines;
-- [query]
SELECT o.id, sum(l.cents) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.customer_id = $1 GROUP BY o.id;
-- [values]
typical: 42
absent: -1
