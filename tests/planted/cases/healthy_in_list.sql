-- title: A list of ids by the primary key
-- finds: nothing
-- [setup]
CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 100000) i;
VACUUM ANALYZE items;
-- [query]
SELECT id, name FROM items WHERE id IN (3, 77, 4711, 20000, 50000, 99999);
