//! Reading a record back.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, error::Category};

use super::{
    agree,
    error::{Error, ErrorKind, Result},
    model::{FORMAT, Record},
    phase::Phase,
};
use crate::files::{self, MIB};

/// Name of the file that holds a record.
pub const RECORD_FILE: &str = "record.json";

/// Most bytes of a file that a measurement wrote: more than a week of slices takes.
const LARGEST: u64 = 1024 * MIB;

/// What says of a file what it is, without the rest of it.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    format: Value,
    pub(super) phase: Option<IgnoredAny>,
    pub(super) record: Option<Box<Self>>,
}

/// A record and where it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The folder that holds it.
    pub folder: PathBuf,
    /// The record.
    pub record: Record,
}

/// Reads the record at `path`: a folder that holds a `record.json`, or the file itself.
///
/// # Errors
/// [`ErrorKind::Missing`] when it is not there; [`ErrorKind::Unreadable`] when it is truncated, no record, or of a newer format;
/// [`ErrorKind::Io`] when the file system refuses. Each names the file.
pub fn read(path: &Path) -> Result<Found> {
    let file = if path.is_dir() { path.join(RECORD_FILE) } else { path.to_owned() };
    let text = read_file(&file)?.ok_or_else(|| missing(&file))?;
    // The format comes first: what is newer is known as such before its fields are looked at.
    parse::<Head>(&file, &text, "record")?.check_format(&file, FORMAT, "record")?;
    let record = parse(&file, &text, "record")?;
    check(&record, &file, "record")?;
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    Ok(Found { folder, record })
}

impl Head {
    /// Refuses what (`record`, `baseline`) is of a newer format than `newest`.
    pub(super) fn check_format(&self, file: &Path, newest: u32, what: &str) -> Result<()> {
        match self.format.as_u64() {
            None => Err(unreadable(file, &format!("is not a latclinic {what}: it has no `format` number"))),
            Some(format) if format > u64::from(newest) => {
                let message = format!("has format {format}; this latclinic reads a {what} up to format {newest}");
                Err(unreadable(file, &message).with_hint("use the latclinic version that wrote it, or a newer one"))
            }
            Some(_) => Ok(()),
        }
    }
}

/// Refuses a record (of a `record` or a `baseline`) whose figures contradict each other.
pub(super) fn check(record: &Record, file: &Path, what: &str) -> Result<()> {
    agree::in_record(record).map_or(Ok(()), |contradiction| {
        let message = format!("is a {what} with contradictory figures: {contradiction}");
        Err(unreadable(file, &message).with_hint("the file was changed after it was written; measure again"))
    })
}

/// What is in a file; `None` where there is none of that name.
///
/// # Errors
/// [`ErrorKind::Unreadable`] when it is no file or too large to be meant; [`ErrorKind::Io`] when the file system refuses.
pub(super) fn read_file(file: &Path) -> Result<Option<Vec<u8>>> {
    match files::read(file, LARGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) => match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            io::ErrorKind::InvalidInput | io::ErrorKind::FileTooLarge => {
                Err(unreadable(file, &format!("cannot be read: {cause}")))
            }
            _ => Err(Error::new(ErrorKind::Io, format!("cannot read {}", file.display())).with_source(cause)),
        },
    }
}

pub(super) fn parse<'a, T: Deserialize<'a>>(file: &Path, text: &'a [u8], what: &str) -> Result<T> {
    serde_json::from_slice(text).map_err(|cause| {
        let fault = match cause.classify() {
            Category::Eof => "is truncated".to_owned(),
            Category::Syntax => "is not JSON".to_owned(),
            Category::Data | Category::Io => format!("is not a latclinic {what}"),
        };
        unreadable(file, &format!("{fault}: {cause}"))
    })
}

pub(super) fn unreadable(file: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Unreadable, format!("{} {what}", file.display()))
}

/// Both sides of the run at `path`, in order; `None` where it is not the folder of a run with both.
///
/// # Errors
/// As [`read`]; [`ErrorKind::Unreadable`] when the records are not both sides of one run.
pub fn read_run(path: &Path) -> Result<Option<[Found; 2]>> {
    let Some(sides) = sides_of_run(path) else { return Ok(None) };
    let [before, after] = [read(&sides[0])?, read(&sides[1])?];
    let id = |found: &Found| found.record.run.as_ref().map(|run| run.id.clone());
    if id(&before) != id(&after) {
        let message = format!("the records in {} and {} are of different runs", sides[0].display(), sides[1].display());
        return Err(
            Error::new(ErrorKind::Unreadable, message).with_hint("name both records: latclinic compare BEFORE AFTER")
        );
    }
    // Without a fix both sides are of the phase before.
    let aa = before.record.run.as_ref().is_some_and(|run| run.aa);
    let after_phase = if aa { Phase::Before } else { Phase::After };
    for (found, phase) in [(&before, Phase::Before), (&after, after_phase)] {
        found.check_place(None, phase)?;
    }
    Ok(Some([before, after]))
}

impl Found {
    /// Refuses a record that is not of the phase, or not of the scenario, that its folder is for.
    pub(super) fn check_place(&self, scenario: Option<&str>, phase: Phase) -> Result<()> {
        let record = &self.record;
        let scenario = scenario.unwrap_or(&record.scenario);
        if (record.scenario.as_str(), record.phase) == (scenario, phase) {
            return Ok(());
        }
        let message = format!(
            "is of phase {} of scenario {}, in a folder for phase {phase} of scenario {scenario}",
            record.phase, record.scenario
        );
        Err(unreadable(&self.folder.join(RECORD_FILE), &message)
            .with_hint("put it back where it came from, or name the records to compare"))
    }
}

/// The folders of both sides of the run at `path`, in order; `None` where it is not the folder of a run with both.
pub fn sides_of_run(path: &Path) -> Option<[PathBuf; 2]> {
    let sides = |names: [&str; 2]| names.map(|name| path.join(name));
    let whole = |sides: &[PathBuf; 2]| sides.iter().all(|side| side.join(RECORD_FILE).is_file());
    [sides(["before", "after"]), sides(["a", "b"])].into_iter().find(whole)
}

fn missing(file: &Path) -> Error {
    let error = Error::new(ErrorKind::Missing, format!("there is no {}", file.display()));
    error.with_hint(format!("name a folder that holds a {RECORD_FILE}, or that of a run"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::record::{phase::Phase, sample};

    fn fault(text: &str) -> Error {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(RECORD_FILE), text).unwrap();
        let error = read(root.path()).unwrap_err();
        assert!(error.to_string().contains("record.json"), "{error} names the file");
        error
    }

    #[test]
    fn a_record_is_read_from_its_folder_and_from_its_file() {
        let root = tempfile::tempdir().unwrap();
        let record = sample::record(Phase::Before);
        fs::write(root.path().join(RECORD_FILE), serde_json::to_vec(&record).unwrap()).unwrap();
        let found = read(root.path()).unwrap();
        assert_eq!((&found.record, found.folder.as_path()), (&record, root.path()));
        assert_eq!(read(&root.path().join(RECORD_FILE)).unwrap(), found);
    }

    #[test]
    fn a_field_that_this_build_does_not_know_is_no_fault() {
        let mut value = serde_json::to_value(sample::record(Phase::After)).unwrap();
        value["since_tomorrow"] = serde_json::json!({ "p50": 1 });
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(RECORD_FILE), value.to_string()).unwrap();
        assert_eq!(read(root.path()).unwrap().record, sample::record(Phase::After));
    }

    #[test]
    fn a_record_of_an_earlier_build_says_what_that_build_did_and_not_what_it_did_not_note() {
        let record = read(Path::new("tests/fixtures/records/earlier")).unwrap().record;
        let load = &record.load;
        assert_eq!((load.protocol.as_str(), load.connections.as_str(), load.error_limit), ("prepared", "client", 1.0));
        assert_eq!((&load.pool, load.retries, record.totals.skipped), (&None, 0, 0));
        assert_eq!((&record.wait_ms, &record.connections, &record.server_activity), (&None, &None, &None));
        assert_eq!((record.slices[0].active_clients, record.statements[0].steps.len()), (None, 0));
    }

    #[test]
    fn every_field_is_read_back_and_documented() {
        fn keys(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    for (key, value) in fields {
                        // Tables, settings: named by others.
                        if !["rows", "settings"].contains(&key.as_str()) || !value.is_object() {
                            keys(value, found);
                        }
                        found.push(key.clone());
                    }
                }
                Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
                _ => {}
            }
        }
        let full = sample::full();
        let json = serde_json::to_value(&full).unwrap();
        assert_eq!(serde_json::from_value::<Record>(json.clone()).unwrap(), full);
        let docs = fs::read_to_string("docs/records.md").unwrap();
        let mut undocumented = Vec::new();
        keys(&json, &mut undocumented);
        undocumented.retain(|key| !docs.contains(&format!("`{key}`")));
        assert!(undocumented.is_empty(), "docs/records.md lacks {undocumented:?}");
    }

    #[test]
    fn a_newer_format_says_so_whatever_its_fields() {
        let error = fault(r#"{ "format": 99, "phase": ["something", "else"] }"#);
        assert_eq!(error.kind(), ErrorKind::Unreadable);
        assert!(error.to_string().contains("has format 99; this latclinic reads a record up to format 1"), "{error}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn cut_off_foreign_and_missing_are_told_apart() {
        let whole = serde_json::to_string(&sample::record(Phase::Before)).unwrap();
        assert!(fault(&whole[..whole.len() / 2]).to_string().contains("is truncated"));
        assert!(fault("").to_string().contains("is truncated"));
        assert!(fault("<html>").to_string().contains("is not JSON"));
        assert!(fault("[1, 2]").to_string().contains("is not a latclinic record"));
        assert!(fault(r#"{ "name": "left-pad" }"#).to_string().contains("has no `format` number"));
        assert!(fault(r#"{ "format": 1 }"#).to_string().contains("missing field `scenario`"));
        let error = read(Path::new("/nonexistent/latclinic")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
    }
}
