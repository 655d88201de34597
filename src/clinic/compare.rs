//! Compares two records, and writes what came of it.

use std::path::{Path, PathBuf};

use super::{Error, ErrorKind, noise};
use crate::{
    compare::{self, Comparison, Measured, MetricKey, Options, TOLERANCE},
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

/// How a comparison is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judging {
    /// Relative difference that counts as none.
    pub tolerance: f64,
    /// Metrics that gates are about.
    pub gated: Vec<MetricKey>,
}

/// What to compare, and where to put it.
#[derive(Debug, Clone, Copy)]
pub struct CompareRequest<'a> {
    /// How it is judged.
    pub judging: &'a Judging,
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
    let comparison = compare_records(&before, &after, request.judging, request.reports)?;
    let folder = store.prepare(&comparison.scenario, "compare", jiff::Timestamp::now(), request.output)?;
    write_comparison(&folder, &comparison, markdown)?;
    Ok(Compared { comparison, folder: folder.path().to_owned() })
}

impl Judging {
    /// As the comparison takes it, without noise.
    pub(super) fn options(&self) -> Options<'_> {
        Options { tolerance: self.tolerance, gated: &self.gated, noise: None }
    }
}

impl Default for Judging {
    fn default() -> Self {
        Self { tolerance: TOLERANCE, gated: Vec::new() }
    }
}

/// Compares two records by the response times beside them; `reports` is where the noise of the machine may be known.
///
/// # Errors
/// [`ErrorKind::Undecided`] when they do not belong together or response times cannot be read.
pub(super) fn compare_records(
    before: &Found,
    after: &Found,
    judging: &Judging,
    reports: &Path,
) -> Result<Comparison, Error> {
    let blocks = [record::read_histograms(before)?, record::read_histograms(after)?];
    let is_aa = after.record.run.as_ref().is_some_and(|run| run.aa);
    let noise = if is_aa { None } else { noise::find(reports, &after.record) };
    let noise = noise.as_ref().map(|(comparison, folder)| (comparison, folder.as_str()));
    let options = Options { noise, ..judging.options() };
    let measured = |found, blocks| Measured { found, blocks };
    compare::compare(measured(before, &blocks[0]), measured(after, &blocks[1]), &options)
        .map_err(|error| not_comparable(before, after, error))
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
