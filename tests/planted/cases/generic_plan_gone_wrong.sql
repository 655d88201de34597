-- title: A plan for any customer that is wrong for most
-- finds: plan-flip
-- names: force_custom_plan
-- [setup]
CREATE TABLE messages (id int PRIMARY KEY, account_id int NOT NULL, sent timestamp NOT NULL, body text NOT NULL);
INSERT INTO messages SELECT i, CASE WHEN i % 200 = 0 AND i < 60000 THEN i / 200 % 60 + 10 ELSE i % 5 END, timestamp '2026-01-01' + i * interval '1 minute', 'body' || i
    FROM generate_series(1, 200000) i;
CREATE INDEX messages_account ON messages (account_id);
CREATE INDEX messages_sent ON messages (sent);
ANALYZE messages;
-- [query]
SELECT id, body FROM messages WHERE account_id = $1 ORDER BY sent DESC LIMIT 10
-- [values]
hot: 2
typical: 33
cold: 51
absent: 999
