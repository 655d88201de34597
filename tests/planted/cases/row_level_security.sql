-- title: A policy that asks a function for every row
-- finds: rls-per-row
-- names: tenant
-- [setup]
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL, body text NOT NULL);
INSERT INTO notes SELECT i, i % 2, 'note ' || i FROM generate_series(1, 60000) i;
CREATE FUNCTION tenant() RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN current_setting('planted.tenant')::int;
END
$$;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_notes ON notes USING (tenant_id = tenant());
DROP ROLE IF EXISTS planted_tenant;
CREATE ROLE planted_tenant;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO planted_tenant', current_schema()); END $$;
GRANT SELECT ON notes TO planted_tenant;
ANALYZE notes;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET planted.tenant = 1;
SET ROLE planted_tenant;
-- [query]
SELECT count(*) FROM notes WHERE length(body) > 3;
-- [follow]
ALTER POLICY own_notes ON notes USING (tenant_id = (SELECT tenant()));
