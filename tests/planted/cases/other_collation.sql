-- title: An equality, and an index in the order of another collation
-- finds: index-not-used
-- names: vouchers_code_idx
-- names: COLLATE
-- needs: icu
-- [setup]
CREATE TABLE vouchers (id int PRIMARY KEY, code text NOT NULL, pad text NOT NULL);
INSERT INTO vouchers SELECT n, md5(n::text), repeat('z', 60) FROM generate_series(1, 60000) n;
CREATE INDEX vouchers_code_idx ON vouchers (code COLLATE "en-x-icu");
VACUUM ANALYZE vouchers;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM vouchers WHERE code = 'c4ca4238a0b923820dcc509a6f75849b';
