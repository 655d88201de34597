-- title: The latest twenty of a user by an index in their order
-- finds: nothing
-- [setup]
CREATE TABLE events (id int PRIMARY KEY, user_id int NOT NULL, created_at timestamptz NOT NULL);
INSERT INTO events SELECT i, (i * 7919::bigint) % 300, timestamptz '2026-01-01' + i * interval '1 minute' FROM generate_series(1, 100000) i;
CREATE INDEX events_user_created ON events (user_id, created_at DESC);
VACUUM ANALYZE events;
-- [query]
SELECT id, created_at FROM events WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20;
-- [values]
hot: 1
typical: 77
absent: -1
