-- title: The index of the order is walked in the hope of meeting the filter soon
-- finds: order-by-limit-wrong-index
-- names: severity
-- [setup]
CREATE TABLE alerts (id int PRIMARY KEY, severity int NOT NULL, message text NOT NULL);
INSERT INTO alerts SELECT i, CASE WHEN i < 2000 THEN 5 ELSE i % 5 END, repeat('m', 60) FROM generate_series(1, 150000) i;
CREATE INDEX alerts_severity ON alerts (severity);
VACUUM ANALYZE alerts;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, message FROM alerts WHERE severity = 5 ORDER BY id DESC LIMIT 20;
-- [follow]
CREATE INDEX ON alerts (severity, id DESC);
