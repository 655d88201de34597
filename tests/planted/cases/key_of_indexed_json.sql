-- title: A key of a document by its text, and a GIN index of the whole document
-- finds: index-not-used
-- names: accounts_profile_idx
-- names: @>
-- [setup]
CREATE TABLE accounts (id int PRIMARY KEY, profile jsonb NOT NULL, pad text NOT NULL);
INSERT INTO accounts SELECT n, jsonb_build_object('login', md5(n::text), 'plan', n % 3), repeat('z', 60) FROM generate_series(1, 60000) n;
CREATE INDEX accounts_profile_idx ON accounts USING gin (profile jsonb_path_ops);
VACUUM ANALYZE accounts;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM accounts WHERE profile ->> 'login' = 'c4ca4238a0b923820dcc509a6f75849b';
-- [query after]
SELECT id FROM accounts WHERE profile @> '{"login": "c4ca4238a0b923820dcc509a6f75849b"}';
