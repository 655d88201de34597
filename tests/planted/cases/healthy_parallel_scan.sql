-- title: A large aggregate by workers
-- finds: nothing
-- [setup]
CREATE TABLE probes (id int NOT NULL, zone int NOT NULL, value int NOT NULL);
INSERT INTO probes SELECT i, i % 50, i % 9000 FROM generate_series(1, 400000) i;
VACUUM ANALYZE probes;
-- [query]
SELECT zone, avg(value) FROM probes GROUP BY zone;
