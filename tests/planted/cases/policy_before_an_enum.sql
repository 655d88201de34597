-- title: Below a policy an enum is not looked up, though the index has it
-- finds: index-not-used
-- names: enum_eq
-- names: leakproof
-- names: memos_town_lane_idx
-- [setup]
CREATE TYPE lane AS ENUM ('north', 'east');
CREATE TABLE memos (town int NOT NULL, no bigint NOT NULL, lane lane NOT NULL, body text NOT NULL, PRIMARY KEY (town, no));
INSERT INTO memos SELECT 1 + n % 3, n, (ARRAY['north', 'east'])[CASE WHEN n % 5000 = 0 THEN 2 ELSE 1 END]::lane, md5(n::text) || md5((n + 1)::text)
FROM generate_series(1, 90000) n;
CREATE INDEX memos_town_lane_idx ON memos (town, lane);
ALTER TABLE memos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_town ON memos USING (town = (SELECT nullif(current_setting('planted.town', true), '')::int));
DROP ROLE IF EXISTS planted_teller;
CREATE ROLE planted_teller;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO planted_teller', current_schema()); END $$;
GRANT SELECT ON memos TO planted_teller;
VACUUM ANALYZE memos;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET planted.town = 3;
SET ROLE planted_teller;
-- [query]
SELECT no FROM memos WHERE lane = 'east';
