-- title: A partial index whose condition the statement has
-- finds: nothing
-- [setup]
CREATE TABLE tasks (id int PRIMARY KEY, owner int NOT NULL, done_at date, pad text NOT NULL);
INSERT INTO tasks SELECT n, n % 20000, CASE WHEN n % 2 = 0 THEN date '2024-01-01' END, repeat('z', 60) FROM generate_series(1, 60000) n;
CREATE INDEX tasks_owner_open_idx ON tasks (owner) WHERE done_at IS NULL;
VACUUM ANALYZE tasks;
-- [query]
SELECT id FROM tasks WHERE owner = 4242 AND done_at IS NULL;
