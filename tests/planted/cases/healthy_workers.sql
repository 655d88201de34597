-- title: A large aggregate with the workers that it planned
-- finds: nothing
-- [setup]
CREATE TABLE trips (id int NOT NULL, zone int NOT NULL, cents int NOT NULL);
INSERT INTO trips SELECT i, i % 50, i % 9000 FROM generate_series(1, 300000) i;
ANALYZE trips;
-- [query]
SELECT zone, sum(cents), avg(cents) FROM trips GROUP BY zone
