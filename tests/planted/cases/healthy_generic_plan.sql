-- title: A generic plan that is as good as those of the values
-- finds: nothing
-- [setup]
CREATE TABLE devices (id int PRIMARY KEY, serial text NOT NULL, model int NOT NULL);
INSERT INTO devices SELECT i, md5(i::text), i % 40 FROM generate_series(1, 80000) i;
CREATE UNIQUE INDEX devices_serial ON devices (serial);
VACUUM ANALYZE devices;
-- [query]
SELECT id, model FROM devices WHERE serial = $1;
-- [values]
typical: md5('4711')
cold: md5('80000')
absent: 'none'
