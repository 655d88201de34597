//! JSON, for programs.

use serde::Serialize;

use super::output::harmless_json;

/// The data as indented JSON, with escapes for what would control a terminal.
///
/// # Errors
/// When the data hold what JSON cannot, such as a map whose keys are no text.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|json| harmless_json(&json))
}
