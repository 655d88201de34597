//! Pure maths: percentiles that samples support, and in time intervals and tests.
