//! The reports folder: `<root>/<scenario>/<UTC time>-<what>/`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    error::{Error, ErrorKind, Result},
    folder::Folder,
    model::Phase,
    read::{Found, RECORD_FILE, read},
};

/// What a folder that `run` wrote is called; the records of its phases are in folders of the phases' names within.
const RUN: &str = "run";

/// Begin of a folder's name: sorts by time.
const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";
const TIME_LENGTH: usize = "20261121T012345Z".len();

/// The folder that holds all reports.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// A folder's name, taken apart. Later ones are greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    time: String,
    number: u32,
}

impl Store {
    /// The reports under `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of all reports.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the folder for what is about to be measured or compared, and tries that it can be written to, so that nothing
    /// is measured in vain: exactly `output` where given, else `<root>/<scenario>/<UTC time of at>-<what>`, with `-2`, `-3`
    /// and so on where that exists. `what` is `before`, `after`, `run` or `compare`.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] when `output` exists; [`ErrorKind::Io`] when the folder cannot be made or has no room;
    /// [`ErrorKind::Unreadable`] when `scenario` (it may come from a foreign record) is not fit for a folder's name.
    pub fn prepare(&self, scenario: &str, what: &str, at: jiff::Timestamp, output: Option<&Path>) -> Result<Folder> {
        if let Some(output) = output {
            return Folder::create(output);
        }
        if scenario.is_empty() || !scenario.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            let message = format!("`{}` is no scenario id: a-z, 0-9 and _ only", scenario.escape_debug());
            return Err(Error::new(ErrorKind::Unreadable, message));
        }
        let name = format!("{}-{what}", at.strftime(TIME_FORMAT));
        let folder = self.root.join(scenario);
        let mut number = 1;
        loop {
            let name = if number == 1 { name.clone() } else { format!("{name}-{number}") };
            match Folder::create(&folder.join(name)) {
                Err(error) if error.kind() == ErrorKind::Exists => number += 1,
                made => return made,
            }
        }
    }

    /// The newest record of a scenario's phase. A folder without a record (nothing was measured, or it is being measured) is
    /// passed over; a record that cannot be read is not.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when there is none; else as [`read`].
    pub fn newest(&self, scenario: &str, phase: Phase) -> Result<Found> {
        let newest = records(&self.root.join(scenario), &[phase])?.into_iter().max();
        let Some((_, folder)) = newest else {
            let message =
                format!("there is no record of phase {phase} of scenario {scenario} in {}", self.root.display());
            return Err(Error::new(ErrorKind::Missing, message)
                .with_hint(format!("measure one: latclinic bench {scenario} --phase {phase}")));
        };
        read(&folder)
    }

    /// Folders of one kind of a scenario, newest first: `what` as for [`Store::prepare`].
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the folder cannot be read.
    pub fn newest_first(&self, scenario: &str, what: &str) -> Result<Vec<PathBuf>> {
        let folder = self.root.join(scenario);
        let mut found: Vec<(Stamp, PathBuf)> = names(&folder)?
            .iter()
            .filter_map(|name| {
                take_apart(name).filter(|(_, kind)| *kind == what).map(|(stamp, _)| (stamp, folder.join(name)))
            })
            .collect();
        found.sort_by(|one, other| other.cmp(one));
        Ok(found.into_iter().map(|(_, folder)| folder).collect())
    }

    /// Id of the scenario that was measured last.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when there is no record at all; [`ErrorKind::Io`] when a folder cannot be read.
    pub fn newest_scenario(&self) -> Result<String> {
        let mut newest: Option<(Stamp, String)> = None;
        for scenario in names(&self.root)? {
            let stamp = records(&self.root.join(&scenario), &[Phase::Before, Phase::After])?.into_iter().max();
            newest = newest.max(stamp.map(|(stamp, _)| (stamp, scenario)));
        }
        newest.map(|(_, scenario)| scenario).ok_or_else(|| {
            Error::new(ErrorKind::Missing, format!("there are no records in {}", self.root.display()))
                .with_hint("measure both phases: latclinic run")
        })
    }
}

/// Folders with a record of one of `phases` below a scenario's folder.
fn records(folder: &Path, phases: &[Phase]) -> Result<Vec<(Stamp, PathBuf)>> {
    let mut found = Vec::new();
    for name in names(folder)? {
        let Some((stamp, what)) = take_apart(&name) else { continue };
        for phase in phases {
            let candidate = match what {
                RUN => folder.join(&name).join(phase.as_str()),
                what if what == phase.as_str() => folder.join(&name),
                _ => continue,
            };
            if candidate.join(RECORD_FILE).is_file() {
                found.push((stamp.clone(), candidate));
            }
        }
    }
    Ok(found)
}

/// `20261121T012345Z-before-2` to its time and number, and `before`.
fn take_apart(name: &str) -> Option<(Stamp, &str)> {
    let (time, what) = name.split_at_checked(TIME_LENGTH)?;
    jiff::civil::DateTime::strptime(TIME_FORMAT, time).ok()?;
    let what = what.strip_prefix('-')?;
    let (what, number) = match what.split_once('-') {
        Some((what, number)) => (what, number.parse().ok()?),
        None => (what, 1),
    };
    Some((Stamp { time: time.to_owned(), number }, what))
}

/// Names in a folder; none when it does not exist.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let refused =
        |cause| Error::new(ErrorKind::Io, format!("cannot read the folder {}", folder.display())).with_source(cause);
    let entries = match fs::read_dir(folder) {
        Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(refused)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not UTF-8 is not one of ours.
        names.extend(entry.map_err(refused)?.file_name().into_string().ok());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample;

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    fn save(folder: &Folder, phase: Phase, clients: u32) {
        let mut record = sample::record(phase);
        record.load.clients = clients;
        folder.write_record(&record).unwrap();
    }

    #[test]
    fn folders_are_named_by_time_and_never_taken_twice() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let now = at("2026-11-21T01:23:45.9Z");
        let first = store.prepare("events", "before", now, None).unwrap();
        let second = store.prepare("events", "before", now, None).unwrap();
        assert_eq!(first.path(), root.path().join("events/20261121T012345Z-before"));
        assert_eq!(second.path(), root.path().join("events/20261121T012345Z-before-2"));
    }

    #[test]
    fn an_output_folder_is_taken_as_named_and_must_be_new() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path().join("reports"));
        let output = root.path().join("mine");
        let folder = store.prepare("events", "before", at("2026-11-21T01:23:45Z"), Some(&output)).unwrap();
        save(&folder, Phase::Before, 8);
        let error = store.prepare("events", "before", at("2026-11-21T01:23:45Z"), Some(&output)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exists);
        assert!(error.to_string().contains("mine"), "{error}");
    }

    #[test]
    fn a_scenario_id_cannot_lead_out_of_the_reports() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path().join("reports"));
        for id in ["../../etc", "", "a/b", "A"] {
            assert!(store.prepare(id, "compare", at("2026-11-21T01:23:45Z"), None).is_err(), "{id}");
        }
    }

    #[test]
    fn the_newest_record_is_found_also_within_a_run() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let early = at("2026-11-21T01:00:00Z");
        save(&store.prepare("events", "before", early, None).unwrap(), Phase::Before, 1);
        save(&store.prepare("events", "before", early, None).unwrap(), Phase::Before, 2);
        assert_eq!(store.newest("events", Phase::Before).unwrap().record.load.clients, 2);

        let run = store.prepare("events", RUN, at("2026-11-21T02:00:00Z"), None).unwrap();
        save(&run.subfolder("before").unwrap(), Phase::Before, 3);
        let found = store.newest("events", Phase::Before).unwrap();
        assert_eq!((found.record.load.clients, found.folder), (3, run.path().join("before")));

        let _unfinished = store.prepare("events", "before", at("2026-11-21T03:00:00Z"), None).unwrap();
        assert_eq!(store.newest("events", Phase::Before).unwrap().record.load.clients, 3);

        let error = store.newest("events", Phase::After).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.hint().unwrap().contains("bench events --phase after"));
    }

    #[test]
    fn the_scenario_measured_last_is_known() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        assert_eq!(store.newest_scenario().unwrap_err().kind(), ErrorKind::Missing);
        save(&store.prepare("orders", "after", at("2026-11-21T01:00:00Z"), None).unwrap(), Phase::After, 1);
        save(&store.prepare("events", "before", at("2026-11-20T01:00:00Z"), None).unwrap(), Phase::Before, 1);
        fs::create_dir(root.path().join("sample")).unwrap();
        assert_eq!(store.newest_scenario().unwrap(), "orders");
    }

    #[test]
    fn names_are_taken_apart() {
        let stamp = |number| Stamp { time: "20261121T012345Z".into(), number };
        assert_eq!(take_apart("20261121T012345Z-run"), Some((stamp(1), "run")));
        assert_eq!(take_apart("20261121T012345Z-before-12"), Some((stamp(12), "before")));
        for foreign in
            ["sample", "20261121T012345Z", "20261321T012345Z-run", "ünter20261121T0123-run", "20261121T012345Z-a-b"]
        {
            assert_eq!(take_apart(foreign), None, "{foreign}");
        }
    }
}
