//! A record with its response times in one file, to be kept in a repository and compared with later.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    block_histograms::BlockHistograms,
    error::{Error, ErrorKind, Result},
    histograms::histograms_of,
    model::{FORMAT, Record},
    read::{Head, check, parse, read_file, unreadable},
    store::{Store, names},
};
use crate::{
    files::{self, Over},
    text::Field,
};

/// Version of the shape written by this build.
pub const BASELINE_FORMAT: u32 = 1;

/// Folder of the baselines below that of all reports.
const FOLDER: &str = "baselines";

/// A record that later ones are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Version of this shape.
    pub format: u32,
    /// What it is called.
    pub name: String,
    /// When it was saved, UTC.
    pub saved_at: jiff::Timestamp,
    /// The record.
    pub record: Record,
    /// The text of the `latency.hlog` beside the record; null where there was none.
    pub latency_hlog: Option<String>,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when it is not there; [`ErrorKind::Unreadable`] when it is truncated, no baseline, or it or its record
    /// is of a newer format; [`ErrorKind::Io`] when the file system refuses. Each names the file.
    pub fn read(file: &Path) -> Result<Self> {
        let text = read_file(file)?.ok_or_else(|| {
            Error::new(ErrorKind::Missing, format!("there is no {}", file.display()))
                .with_hint("list the baselines: latclinic baseline list")
        })?;
        let head: Head = parse(file, &text, "baseline")?;
        match &head.record {
            Some(record) => {
                head.check_format(file, BASELINE_FORMAT, "baseline")?;
                record.check_format(file, FORMAT, "record")?;
            }
            None if head.phase.is_some() => {
                return Err(unreadable(file, "is a record, not a baseline").with_hint(format!(
                    "save it as a baseline (`latclinic baseline save NAME {0}`), or compare it as a record (`latclinic compare {0} AFTER`)",
                    file.display()
                )));
            }
            None => return Err(unreadable(file, "is not a latclinic baseline: it has no `record`")),
        }
        let baseline: Self = parse(file, &text, "baseline")?;
        check(&baseline.record, file, "baseline")?;
        Ok(baseline)
    }

    /// The response times of its record, block by block; none where it has none. `file` is named where they cannot be read.
    ///
    /// # Errors
    /// [`ErrorKind::Unreadable`] when they are damaged, or are not those of the record.
    pub fn histograms(&self, file: &Path) -> Result<Vec<BlockHistograms>> {
        match &self.latency_hlog {
            Some(log) => histograms_of(&self.record, log.as_bytes(), file),
            None => Ok(Vec::new()),
        }
    }

    /// Writes it whole into `file`, whose folder is made if it is not there; over another one only to `replace` it.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] when there is something of that name; [`ErrorKind::Io`] when the file system refuses.
    pub fn write(&self, file: &Path, replace: bool) -> Result<()> {
        let refused = |cause: io::Error| {
            Error::new(ErrorKind::Io, format!("cannot write {}", file.display()))
                .with_hint(format!("name a file that can be written to, with {}", Field::Output))
                .about(&[Field::Output])
                .with_source(cause)
        };
        let exists = || {
            Error::new(ErrorKind::Exists, format!("{} already exists", file.display()))
                .with_hint(format!("choose another name, or replace it with {}", Field::Replace))
                .about(&[Field::Replace])
        };
        if file.is_dir() || (file.exists() && !replace) {
            return Err(exists());
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(refused)?;
        let mut text = serde_json::to_vec_pretty(self).map_err(|cause| refused(cause.into()))?;
        text.push(b'\n');
        let over = if replace { Over::Anything } else { Over::Nothing };
        // Readable as any new file is: the process' umask still applies.
        files::write(file, &text, 0o666, over).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => refused(cause),
        })
    }
}

impl Store {
    /// Where the baseline of this name is kept.
    ///
    /// # Errors
    /// [`ErrorKind::Unreadable`] when it is no name for a file.
    pub fn baseline_file(&self, name: &str) -> Result<PathBuf> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(fits) {
            let message = format!(
                "`{}` is not a valid name of a baseline: use A-Z, a-z, 0-9, `.`, `_` and `-` only",
                name.escape_debug()
            );
            return Err(Error::new(ErrorKind::Unreadable, message));
        }
        Ok(self.root().join(FOLDER).join(format!("{name}.json")))
    }

    /// The files of all baselines, by name.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the folder cannot be read.
    pub fn baseline_files(&self) -> Result<Vec<PathBuf>> {
        let folder = self.root().join(FOLDER);
        let mut files: Vec<PathBuf> = names(&folder)?
            .into_iter()
            .filter(|name| name.ends_with(".json") && !name.starts_with('.'))
            .map(|name| folder.join(name))
            .collect();
        files.sort();
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{phase::Phase, sample};

    fn baseline() -> Baseline {
        Baseline {
            format: BASELINE_FORMAT,
            name: "main".into(),
            saved_at: "2026-11-21T02:00:00Z".parse().unwrap(),
            record: sample::record(Phase::After),
            latency_hlog: Some("#[Histogram log format version 1.3]\n".into()),
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_never_overwritten_unasked() {
        let root = tempfile::tempdir().unwrap();
        let file = Store::new(root.path()).baseline_file("main").unwrap();
        let mut saved = baseline();
        saved.write(&file, false).unwrap();
        assert_eq!(Baseline::read(&file).unwrap(), saved);
        saved.name = "other".into();
        assert_eq!(saved.write(&file, false).unwrap_err().kind(), ErrorKind::Exists);
        assert_eq!(Baseline::read(&file).unwrap().name, "main");
        saved.write(&file, true).unwrap();
        assert_eq!(Baseline::read(&file).unwrap().name, "other");
        assert_eq!(Store::new(root.path()).baseline_files().unwrap(), [file]);
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        let store = Store::new("reports");
        assert_eq!(store.baseline_file("v1.2-rc").unwrap(), Path::new("reports/baselines/v1.2-rc.json"));
        for name in ["", ".", "..", "../x", "a/b", "-x", "a b", "ä"] {
            assert_eq!(store.baseline_file(name).unwrap_err().kind(), ErrorKind::Unreadable, "{name}");
        }
    }

    #[test]
    fn cut_off_foreign_newer_and_missing_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("b.json");
        let fault = |text: &str| {
            fs::write(&file, text).unwrap();
            Baseline::read(&file).unwrap_err().to_string()
        };
        let whole = serde_json::to_string(&baseline()).unwrap();
        assert!(fault(&whole[..whole.len() / 2]).contains("b.json is truncated"));
        assert!(fault("<html>").contains("is not JSON"));
        assert!(fault("{}").contains("is not a latclinic baseline: it has no `record`"));
        let record = serde_json::to_string(&sample::record(Phase::After)).unwrap();
        assert!(fault(&record).contains("is a record, not a baseline"));
        assert!(
            fault(&whole.replacen("\"format\":1", "\"format\":9", 1))
                .contains("has format 9; this latclinic reads a baseline up to format 1")
        );
        let newer = whole.replacen("\"record\":{\"format\":1", "\"record\":{\"format\":9", 1);
        assert!(
            fault(&newer).contains("has format 9; this latclinic reads a record up to format 1"),
            "{}",
            fault(&newer)
        );
        fs::remove_file(&file).unwrap();
        assert_eq!(Baseline::read(&file).unwrap_err().kind(), ErrorKind::Missing);
    }
}
