-- title: All groups are made for the few that are joined
-- finds: joined-in-vain
-- names: LATERAL
-- [setup]
CREATE TABLE buyers (id int PRIMARY KEY, town text NOT NULL);
CREATE TABLE buys (id int PRIMARY KEY, buyer int NOT NULL, paid int NOT NULL);
INSERT INTO buyers SELECT n, 'town ' || n % 4000 FROM generate_series(1, 20000) n;
INSERT INTO buys SELECT n, 1 + n * 7919::bigint % 20000, n % 333 FROM generate_series(1, 100000) n;
CREATE INDEX ON buyers (town);
CREATE INDEX ON buys (buyer);
VACUUM ANALYZE buyers, buys;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT b.id, s.paid FROM buyers b JOIN (SELECT buyer, sum(paid) AS paid FROM buys GROUP BY buyer) s ON s.buyer = b.id WHERE b.town = 'town 7'
-- [query after]
SELECT b.id, s.paid FROM buyers b JOIN LATERAL (SELECT sum(paid) AS paid FROM buys WHERE buys.buyer = b.id HAVING count(*) > 0) s ON true WHERE b.town = 'town 7'
