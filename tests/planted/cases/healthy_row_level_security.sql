-- title: A policy whose function is asked once
-- finds: nothing
-- [setup]
CREATE TABLE folders (id int PRIMARY KEY, tenant_id int NOT NULL, name text NOT NULL);
INSERT INTO folders SELECT i, i % 400, 'folder ' || i FROM generate_series(1, 60000) i;
CREATE INDEX folders_tenant ON folders (tenant_id);
CREATE FUNCTION folder_tenant() RETURNS int LANGUAGE sql STABLE AS $$ SELECT current_setting('planted.tenant')::int $$;
ALTER TABLE folders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_folders ON folders USING (tenant_id = (SELECT folder_tenant()));
DROP ROLE IF EXISTS planted_folder_owner;
CREATE ROLE planted_folder_owner;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO planted_folder_owner', current_schema()); END $$;
GRANT SELECT ON folders TO planted_folder_owner;
VACUUM ANALYZE folders;
-- [session]
SET planted.tenant = 7;
SET ROLE planted_folder_owner;
-- [query]
SELECT id, name FROM folders;
