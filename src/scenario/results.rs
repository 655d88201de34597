//! What is compared of the results before and after the fix.

use serde::Serialize;

/// What is compared of the results before and after the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Results {
    /// Sets of parameters for which each operation is compared, at least 1; fewer where there are no more.
    pub sample: u32,
    /// Roles as which it is executed besides the session's own.
    pub roles: Vec<String>,
}

impl Default for Results {
    fn default() -> Self {
        Self { sample: 200, roles: Vec::new() }
    }
}
