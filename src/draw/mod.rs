//! Deterministic values: typed draws from (seed, address), encoded as PostgreSQL's binary forms. Pure.
//!
//! A value depends on its address only, never on what was drawn before it, so rows and operations may be made in any
//! order by any number of threads.
