-- title: A LEFT JOIN whose rows are all wanted
-- finds: nothing
-- [setup]
CREATE TABLE rooms (id int PRIMARY KEY, floor int NOT NULL);
CREATE TABLE guests (id int PRIMARY KEY, room int, name text NOT NULL);
INSERT INTO rooms SELECT n, n % 9 FROM generate_series(1, 5000) n;
INSERT INTO guests SELECT n, CASE WHEN n % 2 = 0 THEN n % 5000 END, 'g' || n FROM generate_series(1, 30000) n;
VACUUM ANALYZE rooms, guests;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT g.name, r.floor FROM guests g LEFT JOIN rooms r ON r.id = g.room WHERE r.floor IS NULL OR r.floor < 8
