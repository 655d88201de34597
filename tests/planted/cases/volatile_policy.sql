-- title: A policy's function is VOLATILE, so that the index on its column is not used
-- finds: rls-per-row
-- names: current_tenant
-- [setup]
CREATE TABLE invoices (id int PRIMARY KEY, tenant_id int NOT NULL, cents int NOT NULL);
INSERT INTO invoices SELECT i, (i * 7919::bigint) % 500, i % 9000 FROM generate_series(1, 50000) i;
CREATE INDEX invoices_tenant ON invoices (tenant_id);
CREATE FUNCTION current_tenant() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN current_setting('planted.tenant')::int;
END
$$;
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_invoices ON invoices USING (tenant_id = current_tenant());
DROP ROLE IF EXISTS planted_volatile;
CREATE ROLE planted_volatile;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO planted_volatile', current_schema()); END $$;
GRANT SELECT ON invoices TO planted_volatile;
ANALYZE invoices;
-- [session]
SET max_parallel_workers_per_gather = 0;
SET planted.tenant = 42;
SET ROLE planted_volatile;
-- [query]
SELECT sum(cents) FROM invoices;
-- [follow]
ALTER POLICY own_invoices ON invoices USING (tenant_id = (SELECT current_tenant()));
