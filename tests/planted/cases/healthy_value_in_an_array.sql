-- title: A value sought in an array as its GIN index serves it
-- finds: nothing
-- [setup]
CREATE TABLE works (id int PRIMARY KEY, tags text[] NOT NULL);
INSERT INTO works SELECT n, ARRAY['t' || n % 6000, 'u' || n % 17] FROM generate_series(1, 100000) n;
CREATE INDEX works_tags ON works USING gin (tags);
VACUUM ANALYZE works;
-- [query]
SELECT id FROM works WHERE tags @> ARRAY['t77'];
