-- title: A condition above row_number()
-- finds: late-filter
-- names: PARTITION BY
-- [setup]
CREATE TABLE offers (id int PRIMARY KEY, shop int NOT NULL, article int NOT NULL, price int NOT NULL);
INSERT INTO offers SELECT n, n % 40, n * 7919::bigint % 20011, n * 31 % 997 FROM generate_series(1, 80000) n;
CREATE INDEX ON offers (article);
VACUUM ANALYZE offers;
-- [query]
SELECT article, place FROM (SELECT id, shop, article, rank() OVER (PARTITION BY article ORDER BY price) AS place FROM offers) ranked WHERE shop = 7 AND id = 40007
-- [query after]
SELECT article, place FROM (SELECT id, shop, article, rank() OVER (PARTITION BY article ORDER BY price) AS place FROM offers) ranked WHERE shop = 7 AND id = 40007 AND article = (SELECT article FROM offers WHERE id = 40007)
