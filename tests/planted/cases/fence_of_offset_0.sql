-- title: OFFSET 0 that keeps a condition outside
-- finds: late-filter
-- names: OFFSET 0
-- [setup]
CREATE TABLE tickets (id int PRIMARY KEY, seat int NOT NULL, sold_at timestamptz NOT NULL);
INSERT INTO tickets SELECT n, n * 7919::bigint % 30011, timestamptz '2025-01-01' + n * interval '1 min' FROM generate_series(1, 90000) n;
CREATE INDEX ON tickets (seat);
VACUUM ANALYZE tickets;
-- [query]
SELECT id FROM (SELECT id, seat, sold_at FROM tickets OFFSET 0) t WHERE seat = 4711
-- [query after]
SELECT id FROM (SELECT id, seat, sold_at FROM tickets) t WHERE seat = 4711
