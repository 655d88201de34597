//! Deterministic rows from (seed, table, row), as PostgreSQL's binary COPY stream. Pure.
