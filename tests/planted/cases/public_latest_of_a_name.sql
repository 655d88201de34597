-- title: The latest payment of each account, of which a name is wanted
-- asked: https://tilcodes.fly.dev/the-filter-in-the-wrong-place-76x-faster-by-moving-one-where-clause/
-- The answer there: the name's condition goes inside, before the ranking.
-- finds: joined-in-vain
-- names: LATERAL
-- [setup]
CREATE TABLE holders (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE payments (id int PRIMARY KEY, holder int NOT NULL, cents int NOT NULL, at timestamptz NOT NULL);
INSERT INTO holders SELECT n, 'holder ' || n FROM generate_series(1, 6000) n;
INSERT INTO payments SELECT n, 1 + n * 7919::bigint % 6000, n % 999, timestamptz '2025-01-01' + n * interval '1 s' FROM generate_series(1, 90000) n;
CREATE INDEX ON payments (holder, at DESC);
VACUUM ANALYZE holders, payments;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT h.name, p.cents FROM holders h JOIN (SELECT holder, cents, row_number() OVER (PARTITION BY holder ORDER BY at DESC, id DESC) AS place FROM payments) p ON p.holder = h.id AND p.place = 1 WHERE h.name ILIKE '%4711%' ORDER BY h.name LIMIT 20
-- [query after]
SELECT h.name, p.cents FROM holders h CROSS JOIN LATERAL (SELECT cents FROM payments WHERE payments.holder = h.id ORDER BY at DESC, id DESC LIMIT 1) p WHERE h.name ILIKE '%4711%' ORDER BY h.name LIMIT 20
