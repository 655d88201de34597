-- title: Two tables joined whole, for which a hash join is right
-- finds: nothing
-- [setup]
CREATE TABLE buyers (id int PRIMARY KEY, region int NOT NULL);
INSERT INTO buyers SELECT i, i % 30 FROM generate_series(1, 20000) i;
CREATE TABLE purchases (id int PRIMARY KEY, buyer_id int NOT NULL, cents int NOT NULL);
INSERT INTO purchases SELECT i, (i * 7919::bigint) % 20000 + 1, i % 5000 FROM generate_series(1, 100000) i;
VACUUM ANALYZE buyers;
VACUUM ANALYZE purchases;
-- [query]
SELECT b.region, sum(p.cents) FROM purchases p JOIN buyers b ON b.id = p.buyer_id GROUP BY b.region;
