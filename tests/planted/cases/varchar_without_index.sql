-- title: A varchar column without index, which is printed with a cast that costs nothing
-- finds: seq-scan-filter
-- names: code
-- [setup]
CREATE TABLE coupons (id int PRIMARY KEY, code varchar(40) NOT NULL, cents int NOT NULL);
INSERT INTO coupons SELECT i, 'C-' || md5(i::text), i % 1000 FROM generate_series(1, 100000) i;
ANALYZE coupons;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, cents FROM coupons WHERE code = 'C-c4ca4238a0b923820dcc509a6f75849b';
-- [follow]
CREATE INDEX ON coupons (code);
