//! JSON, for programs.

use serde::Serialize;

/// The data as indented JSON.
///
/// # Errors
/// When the data hold what JSON cannot, such as a map whose keys are no text.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value)
}
