-- title: Below a policy a number is looked up
-- finds: nothing
-- [setup]
CREATE TABLE memos (town int NOT NULL, no bigint NOT NULL, lane int NOT NULL, body text NOT NULL, PRIMARY KEY (town, no));
INSERT INTO memos SELECT 1 + n % 3, n, CASE WHEN n % 5000 = 0 THEN 2 ELSE 1 END, md5(n::text) FROM generate_series(1, 90000) n;
CREATE INDEX memos_town_lane_idx ON memos (town, lane);
ALTER TABLE memos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_town ON memos USING (town = (SELECT nullif(current_setting('planted.town', true), '')::int));
DROP ROLE IF EXISTS planted_clerk;
CREATE ROLE planted_clerk;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO planted_clerk', current_schema()); END $$;
GRANT SELECT ON memos TO planted_clerk;
VACUUM ANALYZE memos;
-- [session]
SET planted.town = 3;
SET ROLE planted_clerk;
-- [query]
SELECT no FROM memos WHERE lane = 2;
