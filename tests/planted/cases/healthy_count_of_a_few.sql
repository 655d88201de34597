-- title: A count of the few rows of an index
-- finds: nothing
-- [setup]
CREATE TABLE votes (id int PRIMARY KEY, poll_id int NOT NULL);
INSERT INTO votes SELECT i, i % 1000 FROM generate_series(1, 100000) i;
CREATE INDEX votes_poll ON votes (poll_id);
VACUUM ANALYZE votes;
-- [query]
SELECT count(*) FROM votes WHERE poll_id = 77;
