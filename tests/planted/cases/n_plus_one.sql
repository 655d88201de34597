-- title: The lines of fifty orders, fetched order by order
-- finds: n-plus-one
-- names: ANY
-- executions: 50
-- [setup]
CREATE TABLE order_lines (id int PRIMARY KEY, order_id int NOT NULL, amount int NOT NULL);
INSERT INTO order_lines SELECT i, i / 4, i % 90 FROM generate_series(1, 100000) i;
CREATE INDEX order_lines_order ON order_lines (order_id);
VACUUM ANALYZE order_lines;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, amount FROM order_lines WHERE order_id = $1;
-- [values]
typical: 4711
-- [follow]
-- All of them at once.
-- [query after]
SELECT id, amount FROM order_lines WHERE order_id = ANY ((SELECT array_agg(n) FROM generate_series($1, $1 + 49) n)::int[]);
