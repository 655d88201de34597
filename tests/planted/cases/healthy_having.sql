-- title: HAVING that no row decides alone
-- finds: nothing
-- [setup]
CREATE TABLE scans (id int PRIMARY KEY, badge int NOT NULL);
INSERT INTO scans SELECT n, n % 15000 FROM generate_series(1, 60000) n;
VACUUM ANALYZE scans;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT badge FROM scans GROUP BY badge HAVING count(*) > 4
