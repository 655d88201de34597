DROP INDEX CONCURRENTLY IF EXISTS events_user_id_created_at_idx;
