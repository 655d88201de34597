//! The managed PostgreSQL: find its binaries, initdb, start, stop.
