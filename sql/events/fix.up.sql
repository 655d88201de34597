CREATE INDEX CONCURRENTLY events_user_id_created_at_idx ON events (user_id, created_at DESC);
