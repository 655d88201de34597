-- title: An index on the user alone, the kind is filtered afterwards
-- finds: index-filter
-- names: kind
-- names: user_id
-- [setup]
CREATE TABLE actions (id int PRIMARY KEY, user_id int NOT NULL, kind int NOT NULL, detail text NOT NULL);
INSERT INTO actions SELECT i, CASE WHEN i % 5 = 0 THEN 1 ELSE i % 4000 END, (i * 7919::bigint) % 997, repeat('d', 40)
FROM generate_series(1, 150000) i;
CREATE INDEX actions_user ON actions (user_id);
VACUUM ANALYZE actions;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, detail FROM actions WHERE user_id = $1 AND kind = $2;
-- [values]
hot: 1, 17
typical: 77, 17
absent: -1, 17
-- [follow]
CREATE INDEX ON actions (user_id, kind);
