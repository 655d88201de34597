//! Compares two records, and writes what came of it.

use std::path::{Path, PathBuf};

use super::{Error, ErrorKind};
use crate::{
    compare::{self, Comparison},
    record::{self, Folder, Found, Phase, Store},
};

/// A comparison and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The comparison.
    pub comparison: Comparison,
    /// The folder that holds `comparison.json` and `comparison.md`.
    pub folder: PathBuf,
}

/// What to compare, and where to put it.
#[derive(Debug, Clone, Copy)]
pub struct CompareRequest<'a> {
    /// Folder or `record.json` of the phase `before`; the scenario's newest where `None`.
    pub before: Option<&'a Path>,
    /// Folder or `record.json` of the phase `after`; the scenario's newest where `None`.
    pub after: Option<&'a Path>,
    /// The reports folder.
    pub reports: &'a Path,
    /// Scenario whose newest records are taken; the one measured last where `None`.
    pub scenario: Option<&'a str>,
    /// Folder to write into, which must not exist; `<reports>/<scenario>/<UTC time>-compare` where `None`.
    pub output: Option<&'a Path>,
}

/// Compares two records and writes `comparison.json` and `comparison.md`, which `markdown` words.
///
/// # Errors
/// [`ErrorKind::Undecided`] when a record is missing, cut off or of a newer format, or the two do not belong together;
/// [`ErrorKind::Usage`] when `output` exists; [`ErrorKind::Failed`] when a file cannot be read or written.
pub fn compare(request: &CompareRequest<'_>, markdown: impl Fn(&Comparison) -> String) -> Result<Compared, Error> {
    let store = Store::new(request.reports);
    let (before, after) = find(&store, request)?;
    let comparison = compare_records(&before, &after)?;
    let folder = store.prepare(&comparison.scenario, "compare", jiff::Timestamp::now(), request.output)?;
    write_comparison(&folder, &comparison, markdown)?;
    Ok(Compared { comparison, folder: folder.path().to_owned() })
}

/// Compares two records.
///
/// # Errors
/// [`ErrorKind::Undecided`] when they do not belong together.
pub(super) fn compare_records(before: &Found, after: &Found) -> Result<Comparison, Error> {
    compare::compare(before, after).map_err(|error| not_comparable(before, after, error))
}

/// Writes `comparison.json`, and `comparison.md` as `markdown` words it.
///
/// # Errors
/// [`ErrorKind::Failed`] when a file cannot be written.
pub fn write_comparison(
    folder: &Folder,
    comparison: &Comparison,
    markdown: impl Fn(&Comparison) -> String,
) -> Result<(), Error> {
    folder.write_json("comparison.json", comparison)?;
    folder.write("comparison.md", markdown(comparison).as_bytes())?;
    Ok(())
}

fn find(store: &Store, request: &CompareRequest<'_>) -> Result<(Found, Found), Error> {
    let named = |path: Option<&Path>| path.map(record::read).transpose();
    let (before, after) = (named(request.before)?, named(request.after)?);
    // A record that was named says which scenario the other one is of.
    let scenario = match (request.scenario, before.as_ref().or(after.as_ref())) {
        (Some(scenario), _) => scenario.to_owned(),
        (None, Some(found)) => found.record.scenario.clone(),
        (None, None) => store.newest_scenario()?,
    };
    let or_newest = |found: Option<Found>, phase| found.map_or_else(|| store.newest(&scenario, phase), Ok);
    Ok((or_newest(before, Phase::Before)?, or_newest(after, Phase::After)?))
}

fn not_comparable(before: &Found, after: &Found, error: compare::Error) -> Error {
    let (before, after) = (before.folder.display(), after.folder.display());
    Error::new(ErrorKind::Undecided, error.to_string())
        .with_hint(format!("these were compared: {before} and {after}; measure both phases of the same thing"))
        .with_source(error)
}

impl From<record::Error> for Error {
    fn from(error: record::Error) -> Self {
        let kind = match error.kind() {
            record::ErrorKind::Exists => ErrorKind::Usage,
            record::ErrorKind::Missing | record::ErrorKind::Unreadable => ErrorKind::Undecided,
            record::ErrorKind::Io => ErrorKind::Failed,
        };
        let hint = error.hint().map(str::to_owned);
        let failure = Self::new(kind, error.to_string()).with_source(error);
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
