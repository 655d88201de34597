//! Durations as the schema and the list of scenarios have them.

use std::time::Duration;

use serde::Serializer;

pub(crate) fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
