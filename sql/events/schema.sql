-- What users did: many rows, few users who did most of it.
CREATE TABLE events (
    id         bigint      PRIMARY KEY,
    user_id    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    kind       text        NOT NULL,
    payload    jsonb       NOT NULL
);
