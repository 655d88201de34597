//! The reports folder: `<root>/<scenario>/<UTC time>-<what>/`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    error::{Error, ErrorKind, Result},
    folder::Folder,
    phase::Phase,
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

/// The newest record of something.
#[derive(Debug, Clone, PartialEq)]
pub struct Newest {
    /// The record.
    pub found: Found,
    /// Newer ones that were passed over, because nothing was measured in them.
    pub empty: Vec<PathBuf>,
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
            let message = format!("`{}` is not a scenario id: use a-z, 0-9 and _ only", scenario.escape_debug());
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

    /// The newest record of a scenario's phase in which something was measured. A folder without a record (it is being measured, or
    /// that was killed) is passed over; a record that cannot be read is not.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when there is none; [`ErrorKind::Unreadable`] when it is of another scenario or phase than its folder;
    /// else as [`read`].
    pub fn newest(&self, scenario: &str, phase: Phase) -> Result<Newest> {
        let mut all = records(&self.root.join(scenario), &[phase])?;
        all.sort_by(|one, other| other.cmp(one));
        let mut empty = Vec::new();
        for (_, folder) in all {
            let found = read(&folder)?;
            found.check_place(Some(scenario), phase)?;
            if found.record.totals.operations > 0 {
                return Ok(Newest { found, empty });
            }
            empty.push(folder);
        }
        let message = format!("there is no record of phase {phase} of scenario {scenario} in {}", self.root.display());
        let but = if empty.is_empty() { "" } else { ", except one in which nothing was measured" };
        Err(Error::new(ErrorKind::Missing, format!("{message}{but}"))
            .with_hint(format!("measure one: latclinic bench {scenario} --phase {phase}")))
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

    /// Id of the scenario that was measured last, whose record has something in it.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] when there is no record at all; [`ErrorKind::Io`] when a folder cannot be read.
    pub fn newest_scenario(&self) -> Result<String> {
        let mut all: Vec<(Stamp, String, PathBuf)> = Vec::new();
        for scenario in names(&self.root)? {
            let found = records(&self.root.join(&scenario), &[Phase::Before, Phase::After])?;
            all.extend(found.into_iter().map(|(stamp, folder)| (stamp, scenario.clone(), folder)));
        }
        all.sort_by(|one, other| other.cmp(one));
        // One that cannot be read is told of when it is taken.
        let has_something = |folder: &Path| read(folder).map_or(true, |found| found.record.totals.operations > 0);
        all.into_iter().find(|(.., folder)| has_something(folder)).map(|(_, scenario, _)| scenario).ok_or_else(|| {
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
        let newest = || store.newest("events", Phase::Before).unwrap();
        assert_eq!(newest().found.record.load.clients, 2);

        let run = store.prepare("events", RUN, at("2026-11-21T02:00:00Z"), None).unwrap();
        save(&run.subfolder("before").unwrap(), Phase::Before, 3);
        let found = newest().found;
        assert_eq!((found.record.load.clients, found.folder), (3, run.path().join("before")));

        let _unfinished = store.prepare("events", "before", at("2026-11-21T03:00:00Z"), None).unwrap();
        assert_eq!(newest().found.record.load.clients, 3);

        let error = store.newest("events", Phase::After).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.hint().unwrap().contains("bench events --phase after"));
    }

    #[test]
    fn a_record_in_which_nothing_was_measured_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        let empty = |scenario: &str, at_: &str| {
            let folder = store.prepare(scenario, "before", at(at_), None).unwrap();
            let mut record = sample::record(Phase::Before);
            scenario.clone_into(&mut record.scenario);
            record.totals = crate::record::totals::Totals::default();
            record.latency_ms = crate::record::totals::Latency::default();
            record.statements[0].totals = crate::record::totals::Totals::default();
            record.statements[0].latency_ms = crate::record::totals::Latency::default();
            folder.write_record(&record).unwrap();
            folder.path().to_owned()
        };
        let folder = empty("events", "2026-11-21T02:00:00Z");
        let error = store.newest("events", Phase::Before).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Missing);
        assert!(error.to_string().ends_with("except one in which nothing was measured"), "{error}");
        assert_eq!(store.newest_scenario().unwrap_err().kind(), ErrorKind::Missing);
        save(&store.prepare("events", "before", at("2026-11-21T01:00:00Z"), None).unwrap(), Phase::Before, 1);
        let newest = store.newest("events", Phase::Before).unwrap();
        assert_eq!((newest.found.record.load.clients, newest.empty), (1, vec![folder]));
        empty("orders", "2026-11-21T03:00:00Z");
        assert_eq!(store.newest_scenario().unwrap(), "events");
    }

    #[test]
    fn a_record_of_another_scenario_or_phase_than_its_folder_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        save(&store.prepare("events", "before", at("2026-11-21T01:00:00Z"), None).unwrap(), Phase::After, 1);
        let error = store.newest("events", Phase::Before).unwrap_err();
        assert!(
            error.to_string().contains("is of phase after of scenario events, in a folder for phase before"),
            "{error}"
        );
        save(&store.prepare("orders", "after", at("2026-11-21T01:00:00Z"), None).unwrap(), Phase::After, 1);
        let error = store.newest("orders", Phase::After).unwrap_err();
        assert!(
            error.to_string().contains("scenario events, in a folder for phase after of scenario orders"),
            "{error}"
        );
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
