-- title: HAVING max(), though one row says which groups are wanted
-- finds: having-filter
-- names: bids.amount > 49990
-- [setup]
CREATE TABLE bids (id int PRIMARY KEY, lot int NOT NULL, amount int NOT NULL);
INSERT INTO bids SELECT n, n * 7919::bigint % 25013, n * 104729::bigint % 50000 FROM generate_series(1, 100000) n;
CREATE INDEX ON bids (amount);
VACUUM ANALYZE bids;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT lot, max(amount) FROM bids GROUP BY lot HAVING max(amount) > 49990
-- [query after]
SELECT lot, max(amount) FROM bids WHERE amount > 49990 GROUP BY lot
