-- title: The best ten of 150 rows that an index finds
-- finds: nothing
-- [setup]
CREATE TABLE players (id int PRIMARY KEY, club int NOT NULL, score int, pad text NOT NULL);
INSERT INTO players SELECT n, n % 600, nullif(n * 7919::bigint % 100003, 7), repeat('p', 200) FROM generate_series(1, 90000) n;
CREATE INDEX players_club_idx ON players (club);
VACUUM ANALYZE players;
-- [query]
SELECT id, score, pad FROM players WHERE club = 3 ORDER BY score DESC NULLS LAST, id LIMIT 10;
