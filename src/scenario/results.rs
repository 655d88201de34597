//! What is compared of the results before and after the fix.

use std::time::Duration;

use serde::Serialize;

use super::seconds::as_seconds;

/// What is compared of the results before and after the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Results {
    /// Sets of parameters for which each operation is compared, at least 1; fewer where there are no more.
    pub sample: u32,
    /// How long the comparison may take, above 0: sets that there is no time for are not compared.
    #[serde(rename = "time_limit_s", serialize_with = "as_seconds")]
    pub time_limit: Duration,
    /// Roles as which it is executed besides the session's own.
    pub roles: Vec<String>,
}

impl Default for Results {
    fn default() -> Self {
        Self { sample: 200, time_limit: Duration::from_secs(10), roles: Vec::new() }
    }
}
