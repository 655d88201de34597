-- title: A join by IS NOT DISTINCT FROM
-- finds: nested-loop-blow-up
-- names: COALESCE
-- [setup]
CREATE TABLE entries (id int PRIMARY KEY, account int NOT NULL);
CREATE TABLE bookings (id int PRIMARY KEY, account int NOT NULL);
INSERT INTO entries SELECT n, n FROM generate_series(1, 1500) n;
INSERT INTO bookings SELECT n, n * 3 FROM generate_series(1, 1500) n;
VACUUM ANALYZE entries, bookings;
-- [query]
SELECT e.id, b.id FROM entries e JOIN bookings b ON b.account IS NOT DISTINCT FROM e.account
-- [query after]
SELECT e.id, b.id FROM entries e JOIN bookings b ON b.account = e.account
