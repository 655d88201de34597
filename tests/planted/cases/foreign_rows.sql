-- title: A condition that is not sent to the other server
-- finds: foreign-filter
-- names: date_trunc
-- needs: postgres_fdw
-- [setup]
DROP SERVER IF EXISTS planted_remote CASCADE;
CREATE TABLE shipped (id int PRIMARY KEY, at timestamptz NOT NULL, crate text NOT NULL);
INSERT INTO shipped SELECT n, timestamptz '2025-01-01' + n * interval '10 min', 'crate ' || n FROM generate_series(1, 40000) n;
CREATE INDEX ON shipped (at);
VACUUM ANALYZE shipped;
DO $$
BEGIN
    EXECUTE format('CREATE SERVER planted_remote FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
        split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database());
    EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER planted_remote OPTIONS (user %L)', current_user);
    EXECUTE format('CREATE FOREIGN TABLE shipped_there (id int, at timestamptz, crate text) SERVER planted_remote OPTIONS (schema_name %L, table_name %L)', current_schema(), 'shipped');
END
$$;
ANALYZE shipped_there;
-- [query]
SELECT id, crate FROM shipped_there WHERE date_trunc('day', at) = '2025-03-01'
-- [query after]
SELECT id, crate FROM shipped_there WHERE at >= '2025-03-01' AND at < '2025-03-02'
