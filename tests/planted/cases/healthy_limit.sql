-- title: The newest rows of a large table, with a limit: what is below it stops long before the rows it planned for
-- finds: nothing
-- [setup]
CREATE TABLE logs (id int PRIMARY KEY, host int NOT NULL, line text NOT NULL);
INSERT INTO logs SELECT i, i % 20, 'line' || i FROM generate_series(1, 100000) i;
CREATE TABLE hosts (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO hosts SELECT i, 'host' || i FROM generate_series(0, 19) i;
ANALYZE logs, hosts;
-- [query]
SELECT l.line, h.name FROM logs l JOIN hosts h ON h.id = l.host ORDER BY l.id DESC LIMIT 10
