-- title: Below a policy no text is searched by trigrams, whatever the index
-- finds: index-not-used
-- names: texticlike
-- names: memos_body_idx
-- names: security definer
-- needs: pg_trgm
-- [setup]
CREATE TABLE memos (town int NOT NULL, no bigint NOT NULL, body text NOT NULL, PRIMARY KEY (town, no));
INSERT INTO memos SELECT 1 + n % 3, n, md5(n::text) || md5((n + 1)::text) FROM generate_series(1, 90000) n;
CREATE INDEX memos_body_idx ON memos USING gin (body gin_trgm_ops);
ALTER TABLE memos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_town ON memos USING (town = (SELECT nullif(current_setting('planted.town', true), '')::int));
DROP ROLE IF EXISTS planted_searcher;
CREATE ROLE planted_searcher;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO planted_searcher', current_schema()); END $$;
GRANT SELECT ON memos TO planted_searcher;
VACUUM ANALYZE memos;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET planted.town = 3;
SET ROLE planted_searcher;
-- [query]
SELECT no FROM memos WHERE body ILIKE '%c4ca4238a%';
