-- title: An equality that is not hashed, since hash joins are switched off
-- finds: nested-loop-blow-up
-- names: enable_hashjoin
-- [setup]
CREATE TABLE toots (id int PRIMARY KEY, account int NOT NULL);
CREATE TABLE summaries (id int PRIMARY KEY, account int NOT NULL);
INSERT INTO toots SELECT n, n % 3000 FROM generate_series(1, 6000) n;
INSERT INTO summaries SELECT n, n % 3000 FROM generate_series(1, 3000) n;
VACUUM ANALYZE toots;
VACUUM ANALYZE summaries;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
-- [query]
SELECT count(*) FROM summaries s JOIN toots t ON t.account = s.account;
-- [follow]
RESET enable_hashjoin;
