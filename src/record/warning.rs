//! What makes figures of a measurement doubtful.

use serde::Deserialize;
use serde::Serialize;

/// What a reader has to know before believing the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable id, such as `too-few-samples`.
    pub id: String,
    /// What is the matter, with its figures.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}
