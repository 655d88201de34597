-- title: An index of a partitioned table that its partitions do not have
-- finds: index-not-used
-- names: visits_guest_idx
-- names: attach
-- [setup]
CREATE TABLE visits (id bigint NOT NULL, at date NOT NULL, guest int NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
INSERT INTO visits SELECT n, date '2024-01-01' + n % 59, n % 7000 FROM generate_series(1, 100000) n;
CREATE INDEX visits_guest_idx ON ONLY visits (guest);
VACUUM ANALYZE visits;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT sum(id) FROM visits WHERE guest = 77;
-- [follow]
CREATE INDEX visits_1_guest_idx ON visits_1 (guest);
CREATE INDEX visits_2_guest_idx ON visits_2 (guest);
ALTER INDEX visits_guest_idx ATTACH PARTITION visits_1_guest_idx;
ALTER INDEX visits_guest_idx ATTACH PARTITION visits_2_guest_idx;
