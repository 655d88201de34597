//! Baselines: saved, listed, found.

use std::path::{Path, PathBuf};

use super::{Error, ErrorKind};
use crate::record::{self, BASELINE_FORMAT, Baseline, Phase, Store};

/// The baselines of a folder of reports.
#[derive(Debug, Default)]
pub struct Baselines {
    /// Each with its file.
    pub readable: Vec<(PathBuf, Baseline)>,
    /// Why others cannot be read.
    pub unreadable: Vec<Error>,
}

/// Saves a record as the baseline `name`: that at `path`, or the newest of phase `after` of `scenario` (of the one measured
/// last); into `output`, or among the baselines in `reports`. Gives it and its file.
///
/// # Errors
/// [`ErrorKind::Usage`] when there is one of that name and it is not to be replaced, that is no name, or there is no such record;
/// [`ErrorKind::Undecided`] when it cannot be read; [`ErrorKind::Failed`] when a file cannot be read or written.
pub fn save_baseline(
    reports: &Path,
    name: &str,
    path: Option<&Path>,
    scenario: Option<&str>,
    output: Option<&Path>,
    replace: bool,
) -> Result<(PathBuf, Baseline), Error> {
    let store = Store::new(reports);
    let named = store.baseline_file(name).map_err(|error| Error::new(ErrorKind::Usage, error.to_string()))?;
    let found = match (path, scenario) {
        (Some(path), _) => record::read(path)?,
        (None, Some(scenario)) => store.newest(scenario, Phase::After)?.found,
        (None, None) => store.newest(&store.newest_scenario()?, Phase::After)?.found,
    };
    if found.record.totals.operations == 0 {
        let message = format!("nothing was measured in the record in {}", found.folder.display());
        return Err(Error::new(ErrorKind::Usage, message).with_hint("measure again, or name another record"));
    }
    // What does not belong to it must not be kept with it.
    record::read_histograms(&found)?;
    let latency_hlog = record::histograms_text(&found)?;
    let saved_at = jiff::Timestamp::now();
    let baseline =
        Baseline { format: BASELINE_FORMAT, name: name.to_owned(), saved_at, record: found.record, latency_hlog };
    let file = output.map_or(named, Path::to_owned);
    baseline.write(&file, replace)?;
    Ok((file, baseline))
}

/// The baselines in `reports` by name.
///
/// # Errors
/// [`ErrorKind::Failed`] when their folder cannot be read.
pub fn list_baselines(reports: &Path) -> Result<Baselines, Error> {
    let mut found = Baselines::default();
    for file in Store::new(reports).baseline_files()? {
        match Baseline::read(&file) {
            Ok(baseline) => found.readable.push((file, baseline)),
            Err(error) => found.unreadable.push(error.into()),
        }
    }
    Ok(found)
}

/// The baseline of a name in `reports`, or in a file: what holds a `/` or ends with `.json` is a path.
///
/// # Errors
/// [`ErrorKind::Usage`] when there is none, or it is neither a name nor a path; [`ErrorKind::Undecided`] when it cannot be read.
pub fn find_baseline(reports: &Path, text: &str) -> Result<(PathBuf, Baseline), Error> {
    let file = if text.contains('/') || text.ends_with(".json") {
        PathBuf::from(text)
    } else {
        let named = Store::new(reports).baseline_file(text);
        named.map_err(|error| Error::new(ErrorKind::Usage, error.to_string()))?
    };
    let baseline = Baseline::read(&file)?;
    Ok((file, baseline))
}
