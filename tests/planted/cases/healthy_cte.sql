-- title: A CTE of a few rows with a filter above
-- finds: nothing
-- [setup]
CREATE TABLE clubs (id int PRIMARY KEY, town int NOT NULL);
INSERT INTO clubs SELECT n, n % 2000 FROM generate_series(1, 40000) n;
CREATE INDEX ON clubs (town);
VACUUM ANALYZE clubs;
-- [query]
WITH here AS MATERIALIZED (SELECT id FROM clubs WHERE town = 77) SELECT id FROM here WHERE id % 3 = 0
