//! Compares two records, and writes what came of it.

use std::path::{Path, PathBuf};

use super::{Error, ErrorKind, baseline::find_baseline, gates, noise};
use crate::{
    compare::{self, Comparison, Measured, Options, TOLERANCE},
    record::{self, BlockHistograms, Folder, Found, Phase, Store},
    scenario::Gate,
};

/// A comparison and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The comparison.
    pub comparison: Comparison,
    /// The folder that holds `comparison.json` and `comparison.md`.
    pub folder: PathBuf,
    /// Newer records that were passed over, because nothing was measured in them.
    pub empty: Vec<PathBuf>,
}

/// How a comparison is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judging {
    /// Relative difference that counts as none.
    pub tolerance: f64,
    /// What the comparison has to keep besides what the record of the phase after says.
    pub gates: Vec<Gate>,
}

/// What to compare, and where to put it.
#[derive(Debug, Clone, Copy)]
pub struct CompareRequest<'a> {
    /// How it is judged.
    pub judging: &'a Judging,
    /// What stands on the side before.
    pub before: BeforeSide<'a>,
    /// Folder or `record.json` of the phase `after`; the scenario's newest where `None`, with a baseline that of its phase.
    pub after: Option<&'a Path>,
    /// The reports folder.
    pub reports: &'a Path,
    /// Scenario whose newest records are taken; the one measured last where `None`.
    pub scenario: Option<&'a str>,
    /// Folder to write into, which must not exist; `<reports>/<scenario>/<UTC time>-compare` where `None`.
    pub output: Option<&'a Path>,
}

/// What stands on the side before.
#[derive(Debug, Clone, Copy)]
pub enum BeforeSide<'a> {
    /// The scenario's newest record of the phase `before`.
    Newest,
    /// The record in this folder, or in this `record.json`; of a run that of its phase after. So for `after`.
    Record(&'a Path),
    /// A baseline: its name, or its file.
    Baseline(&'a str),
    /// Both sides of the run in this folder; `after` is not looked at.
    Run(&'a Path),
}

/// A record with the response times behind it.
struct Side {
    found: Found,
    blocks: Vec<BlockHistograms>,
}

/// Compares two records and writes `comparison.json` and `comparison.md`, which `markdown` words.
///
/// # Errors
/// [`ErrorKind::Undecided`] when a record is truncated or of a newer format, or the two do not belong together;
/// [`ErrorKind::Usage`] when a record is missing or `output` exists; [`ErrorKind::Failed`] when a file cannot be read or written.
pub fn compare(request: &CompareRequest<'_>, markdown: impl Fn(&Comparison) -> String) -> Result<Compared, Error> {
    let store = Store::new(request.reports);
    let mut empty = Vec::new();
    let (before, after) = find(&store, request, &mut empty)?;
    let comparison = compare_sides(&before, &after, request.judging, request.reports)?;
    let folder = store.prepare(&comparison.scenario, "compare", jiff::Timestamp::now(), request.output)?;
    write_comparison(&folder, &comparison, markdown)?;
    Ok(Compared { comparison, folder: folder.path().to_owned(), empty })
}

impl Side {
    /// A record and what stands beside it.
    fn read(found: Found) -> Result<Self, Error> {
        let blocks = record::read_histograms(&found)?;
        Ok(Self { found, blocks })
    }

    fn measured(&self) -> Measured<'_> {
        Measured { found: &self.found, blocks: &self.blocks }
    }
}

impl Default for Judging {
    fn default() -> Self {
        Self { tolerance: TOLERANCE, gates: Vec::new() }
    }
}

/// Compares two records by their response times, and judges the gates of the one after and those asked for; `reports` is where the
/// noise of the machine may be known.
///
/// # Errors
/// [`ErrorKind::Undecided`] when they do not belong together; else as [`gates::of_records`].
pub(super) fn compare_measured(
    sides: [(Found, Vec<BlockHistograms>); 2],
    judging: &Judging,
    reports: &Path,
) -> Result<Comparison, Error> {
    let [before, after] = sides.map(|(found, blocks)| Side { found, blocks });
    compare_sides(&before, &after, judging, reports)
}

fn compare_sides(before: &Side, after: &Side, judging: &Judging, reports: &Path) -> Result<Comparison, Error> {
    let conditions = gates::conditions(&gates::of_records(&before.found, &after.found, &judging.gates)?);
    let is_aa = after.found.record.run.as_ref().is_some_and(|run| run.aa);
    let noise = if is_aa { None } else { noise::find(reports, &after.found.record) };
    let noise = noise.as_ref().map(|(comparison, folder)| (comparison, folder.as_str()));
    let options = Options { tolerance: judging.tolerance, conditions: &conditions, noise };
    compare::compare(before.measured(), after.measured(), &options)
        .map_err(|error| not_comparable(&before.found, &after.found, error))
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

/// Both sides; records that are newer than what was looked for, but empty, are added to `empty`.
fn find(store: &Store, request: &CompareRequest<'_>, empty: &mut Vec<PathBuf>) -> Result<(Side, Side), Error> {
    let mut newest = |scenario: &str, phase| -> record::Result<Found> {
        let newest = store.newest(scenario, phase)?;
        empty.extend(newest.empty);
        Ok(newest.found)
    };
    let (before, phase) = match request.before {
        BeforeSide::Newest => (None, Phase::After),
        BeforeSide::Run(path) => {
            let [before, after] = match record::read_run(path)? {
                Some(sides) => sides,
                None => [record::read(path)?, record::read(path)?],
            };
            return Ok((Side::read(before)?, Side::read(after)?));
        }
        BeforeSide::Record(path) => (Some(Side::read(named(path)?)?), Phase::After),
        BeforeSide::Baseline(text) => {
            let (file, baseline) = find_baseline(request.reports, text)?;
            let blocks = baseline.histograms(&file)?;
            let phase = baseline.record.phase;
            (Some(Side { found: Found { folder: file, record: baseline.record }, blocks }), phase)
        }
    };
    let after = request.after.map(named).transpose()?;
    // A record that was named says which scenario the other one is of.
    let scenario = match (request.scenario, before.as_ref().map(|side| &side.found).or(after.as_ref())) {
        (Some(scenario), _) => scenario.to_owned(),
        (None, Some(found)) => found.record.scenario.clone(),
        (None, None) => store.newest_scenario()?,
    };
    let before = match before {
        Some(before) => before,
        None => Side::read(newest(&scenario, Phase::Before)?)?,
    };
    let is_newest = after.is_none();
    let after = after.map_or_else(|| newest(&scenario, phase), Ok)?;
    let same = after.record.started_at == before.found.record.started_at;
    if is_newest && same && matches!(request.before, BeforeSide::Baseline(_)) {
        let message = format!("the newest record, {}, is the baseline itself", after.folder.display());
        return Err(Error::new(ErrorKind::Undecided, message).with_hint("measure again, or name the record to compare"));
    }
    Ok((before, Side::read(after)?))
}

/// The record at `path`; of a run that of its phase after, which is what it came to.
fn named(path: &Path) -> record::Result<Found> {
    match record::read_run(path)? {
        Some([_, after]) => Ok(after),
        None => record::read(path),
    }
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
            record::ErrorKind::Exists | record::ErrorKind::Missing => ErrorKind::Usage,
            record::ErrorKind::Unreadable => ErrorKind::Undecided,
            record::ErrorKind::Io => ErrorKind::Failed,
        };
        let hint = error.hint().map(str::to_owned);
        let fields = error.fields().to_vec();
        let failure = Self::new(kind, error.to_string()).about(&fields).with_source(error);
        match hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
