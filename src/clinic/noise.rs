//! The noise of this machine, as a run without a fix measured it.

use std::path::Path;

use crate::{
    compare::{self, Comparison},
    files,
    record::{self, Record, Store},
};

/// Most bytes of a comparison.
const LARGEST: u64 = 256 * files::MIB;

/// Rounds without a fix that say something of the noise.
const LEAST_ROUNDS: u32 = 6;

/// Whether the noise of one record is that of the other: the same server and settings, and blocks of the same length.
fn alike(noise: &Record, record: &Record) -> bool {
    let block = |record: &Record| {
        let blocks = record.run.as_ref().map_or(1, |run| if run.automatic { run.rounds } else { run.rounds_asked });
        (record.load.duration_s / f64::from(blocks.max(1)) * 1e3).round()
    };
    let rounds = noise.run.as_ref().map_or(0, |run| run.rounds);
    noise.server == record.server
        && block(noise) == block(record)
        && noise.load.enough == record.load.enough
        && rounds >= LEAST_ROUNDS
}

/// The newest comparison without a fix of the scenario of `record`, on the same machine and server, with the same dataset, load and
/// length of blocks, and the folder that holds it. One that cannot be read is passed over: it only adds to what a comparison says.
pub(super) fn find(reports: &Path, record: &Record) -> Option<(Comparison, String)> {
    let folders = Store::new(reports).newest_first(&record.scenario, "aa").ok()?;
    folders.into_iter().find_map(|folder| {
        let other = record::read(&folder.join("a")).ok()?.record;
        let same = other.machine == record.machine && alike(&other, record) && compare::same_thing(&other, record);
        let text = files::read(&folder.join("comparison.json"), LARGEST).ok().filter(|_| same)?;
        let comparison: Comparison = serde_json::from_slice(&text).ok()?;
        let is_its_own = comparison.run == other.run && comparison.sides.before.started_at == other.started_at;
        is_its_own.then(|| (comparison, folder.display().to_string()))
    })
}
