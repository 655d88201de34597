//! Two records to a comparison.
