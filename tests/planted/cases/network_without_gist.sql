-- title: The networks that hold an address, no index
-- finds: seq-scan-filter
-- names: inet_ops
-- [setup]
CREATE TABLE networks (id int PRIMARY KEY, net cidr NOT NULL, pad text NOT NULL);
INSERT INTO networks SELECT n, set_masklen(('10.' || n / 256 % 256 || '.' || n % 256 || '.0')::inet, 24)::cidr, repeat('z', 60)
FROM generate_series(0, 60000) n;
VACUUM ANALYZE networks;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM networks WHERE net >>= '10.20.30.40'::inet;
