-- title: An OR across two columns, only one of which has an index
-- finds: or-condition
-- names: receiver_id
-- [setup]
CREATE TABLE mails (id int PRIMARY KEY, sender_id int NOT NULL, receiver_id int NOT NULL, subject text NOT NULL);
INSERT INTO mails SELECT i, (i * 7919::bigint) % 6000, (i * 104729::bigint) % 6000, 'subject ' || i FROM generate_series(1, 150000) i;
CREATE INDEX mails_sender ON mails (sender_id);
ANALYZE mails;
-- [session]
SET max_parallel_workers_per_gather = 0;
-- [query]
SELECT id, subject FROM mails WHERE sender_id = 42 OR receiver_id = 42;
-- [follow]
CREATE INDEX ON mails (receiver_id);
