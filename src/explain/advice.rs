//! The index that would serve a node of a plan.

use super::diagnose::Case;

/// An index to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexAdvice {
    /// The statement that makes it: `CREATE INDEX CONCURRENTLY ON events (user_id, created_at DESC)`.
    pub statement: String,
    /// Why it serves, in a sentence without a full stop.
    pub why: String,
}

/// The index that would serve what the node at `at` reads; `None` where none would, or nothing is known of the statement or its
/// tables, or there is one already.
pub(super) fn index_for(_case: &Case<'_>, _at: usize) -> Option<IndexAdvice> {
    None
}
