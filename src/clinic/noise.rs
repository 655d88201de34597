//! The noise of this machine, as a run without a fix measured it.

use std::path::Path;

use crate::{
    compare::{self, Comparison},
    record::{self, Record, Store},
};

/// The newest comparison without a fix of the scenario of `record`, on the same machine, with the same dataset and load, and the
/// folder that holds it. One that cannot be read is passed over: it only adds to what a comparison says.
pub(super) fn find(reports: &Path, record: &Record) -> Option<(Comparison, String)> {
    let folders = Store::new(reports).newest_first(&record.scenario, "aa").ok()?;
    folders.into_iter().find_map(|folder| {
        let other = record::read(&folder.join("a")).ok()?.record;
        let same = other.machine == record.machine && compare::same_thing(&other, record);
        let text = std::fs::read(folder.join("comparison.json")).ok().filter(|_| same)?;
        Some((serde_json::from_slice(&text).ok()?, folder.display().to_string()))
    })
}
