-- title: Three columns that say the same, taken for independent
-- finds: misestimate
-- needs: counts
-- names: CREATE STATISTICS
-- names: city
-- names: zip
-- [setup]
CREATE TABLE addresses (id int NOT NULL, city text NOT NULL, zip text NOT NULL, country text NOT NULL);
INSERT INTO addresses SELECT i, 'city' || i % 40, 'zip' || i % 40, 'country' || i % 40 FROM generate_series(1, 20000) i;
CREATE TABLE parcels (id int PRIMARY KEY, address_id int NOT NULL, state text NOT NULL);
INSERT INTO parcels SELECT i, i * 7919::bigint % 20000 + 1, CASE WHEN i % 100 = 0 THEN 'lost' ELSE 'fine' END FROM generate_series(1, 20000) i;
ANALYZE addresses, parcels;
-- [session]
SET max_parallel_workers_per_gather = 0
-- [query]
SELECT p.id, a.id FROM addresses a JOIN parcels p ON p.address_id = a.id
WHERE a.city = 'city7' AND a.zip = 'zip7' AND a.country = 'country7' AND p.state = 'lost'
