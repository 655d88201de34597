-- title: An index on lower(email), a statement that asks for upper(email)
-- finds: index-not-used
-- names: users_email_idx
-- names: lower(email)
-- [setup]
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, pad text NOT NULL);
INSERT INTO users SELECT n, 'User' || n || '@example.com', repeat('z', 60) FROM generate_series(1, 60000) n;
CREATE INDEX users_email_idx ON users (lower(email));
VACUUM ANALYZE users;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id FROM users WHERE upper(email) = 'USER4711@EXAMPLE.COM';
-- [query after]
SELECT id FROM users WHERE lower(email) = 'user4711@example.com';
