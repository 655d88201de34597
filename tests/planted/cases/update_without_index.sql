-- title: An update that reads the whole table for a few rows
-- finds: seq-scan-filter
-- names: session_key
-- [setup]
CREATE TABLE carts (id int PRIMARY KEY, session_key text NOT NULL, state int NOT NULL);
INSERT INTO carts SELECT i, md5((i / 3)::text), i % 5 FROM generate_series(1, 100000) i;
ANALYZE carts;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
UPDATE carts SET state = 9 WHERE session_key = md5('4711');
-- [follow]
CREATE INDEX ON carts (session_key);
