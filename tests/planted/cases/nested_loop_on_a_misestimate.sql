-- title: A nested loop chosen for a few hundred rows that turn out to be tens of thousands: two columns compared with each other
-- finds: nested-loop-blow-up
-- needs: counts
-- names: orders
-- [setup]
CREATE TABLE orders (id int PRIMARY KEY, ordered date NOT NULL, shipped date NOT NULL, same_day boolean GENERATED ALWAYS AS (shipped = ordered) STORED);
INSERT INTO orders SELECT i, date '2026-01-01' + i % 300, date '2026-01-01' + i % 300 + CASE WHEN i % 10 = 0 THEN 2 ELSE 0 END FROM generate_series(1, 60000) i;
CREATE TABLE lines (id int PRIMARY KEY, order_id int NOT NULL, cents int NOT NULL);
INSERT INTO lines SELECT i, i * 7919::bigint % 60000 + 1, i % 900 FROM generate_series(1, 300000) i;
CREATE INDEX lines_order ON lines (order_id);
ANALYZE orders, lines;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET work_mem = '16MB'
-- [query]
SELECT sum(l.cents) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.shipped = o.ordered
-- [query after]
SELECT sum(l.cents) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.same_day
