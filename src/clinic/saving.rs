//! Saves what was measured: where it shall be, or else where it can be.

use super::{Error, ErrorKind};
use crate::record::Folder;

const KB: u64 = 1 << 10;
/// What any record and any comparison take.
const BASE: u64 = 256 * KB;
/// A second of a side: its slice in the record and in the log.
const SECOND: u64 = 7 * KB;
/// A block, and an operation in it.
const BLOCK: u64 = 6 * KB;
const OPERATION_OF_BLOCK: u64 = 7 * KB;
/// The plans of an operation in the record, and as PostgreSQL printed them.
const PLANS: u64 = 96 * KB;
/// The plans of an operation side by side.
const PLANS_COMPARED: u64 = 48 * KB;
/// More is not held free before anything is measured.
const MOST: u64 = 64 << 20;

/// What is going to be measured, for the room that its files take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) sides: u64,
    /// Of a side.
    pub(super) blocks: u64,
    /// Of a side.
    pub(super) seconds: f64,
    pub(super) operations: u64,
}

impl Extent {
    /// Room to hold for its files, in bytes: more than they take by rule.
    pub(super) fn room(self) -> u64 {
        let Self { sides, blocks, seconds, operations } = self;
        let of_blocks = blocks.saturating_mul(BLOCK + operations.saturating_mul(OPERATION_OF_BLOCK));
        let seconds = (seconds.ceil() as u64).saturating_mul(SECOND);
        let side = seconds.saturating_add(of_blocks).saturating_add(operations.saturating_mul(PLANS));
        let compared = if sides > 1 { operations.saturating_mul(PLANS_COMPARED) } else { 0 };
        sides.saturating_mul(side).saturating_add(compared).saturating_add(BASE).min(MOST)
    }
}

/// Saves by `write`, all of it into one folder. With what `write` gives comes a failure if that was another folder than `folder`, since
/// the disk is full, or others have put something in the way. Where nothing can be written anywhere, `unsaved` gives what can still be
/// shown.
pub(super) fn save<T>(
    folder: &Folder,
    write: impl Fn(&Folder) -> Result<T, Error>,
    unsaved: impl FnOnce() -> T,
) -> (T, Option<Error>) {
    let cause = match write(folder) {
        Ok(saved) => return (saved, None),
        Err(cause) => cause,
    };
    folder.discard();
    let asked = folder.path().display();
    for elsewhere in folder.elsewhere() {
        match write(&elsewhere) {
            Ok(saved) => {
                let place = elsewhere.path().display();
                let failure =
                    Error::new(ErrorKind::Failed, format!("the results were saved in {place} instead of {asked}"));
                let hint = cause.hint().unwrap_or("move the folder to where you want it").to_owned();
                let fields = cause.fields().to_vec();
                return (saved, Some(failure.about(&fields).with_source(cause).with_hint(hint)));
            }
            Err(_) => elsewhere.discard(),
        }
    }
    let failure = Error::new(
        ErrorKind::Failed,
        "the results are only shown here: they could not be saved in the folder asked for or anywhere else",
    );
    (
        unsaved(),
        Some(failure.with_source(cause).with_hint("copy what is shown; free disk space before measuring again")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Phase, Store, sample};

    #[test]
    fn the_room_holds_the_files_of_the_sample() {
        let files = ["before", "after"].map(|side| format!("reports/sample/{side}"));
        let folders = files.iter().map(String::as_str).chain(["reports/sample"]);
        let bytes = |folder: &str| -> u64 {
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
            files.filter(|file| file.is_file()).map(|file| file.len()).sum()
        };
        let taken: u64 = folders.map(bytes).sum();
        let room = Extent { sides: 2, blocks: 6, seconds: 31.0, operations: 1 }.room();
        assert!(taken > 200 * KB && room > taken + 12 * 16 * KB, "{taken} of {room}");
        assert!(Extent { sides: 2, blocks: 1000, seconds: 1e9, operations: 1000 }.room() == MOST);
    }

    #[test]
    fn what_has_no_place_here_is_saved_elsewhere_and_told() {
        let root = tempfile::tempdir().unwrap();
        let record = sample::record(Phase::Before);
        let folder = Store::new(root.path()).prepare("events", "before", record.started_at, None).unwrap();
        let write = |folder: &Folder| -> Result<_, Error> {
            folder.write("latency.hlog", b"x")?;
            folder.write_record(&record)?;
            Ok(folder.path().to_owned())
        };
        std::fs::write(folder.path().join("record.json"), "another's").unwrap();
        let (place, failure) = save(&folder, write, Default::default);
        let failure = failure.unwrap();
        assert_eq!(place.file_name().unwrap().to_str().unwrap(), "20261121T012345Z-before-2");
        assert!(failure.to_string().contains("-before-2 instead of "), "{failure}");
        assert_eq!(failure.kind(), ErrorKind::Failed);
        assert!(!folder.path().join("latency.hlog").exists(), "what is there belongs to another");
        let no = |_: &Folder| Err::<&str, _>(Error::new(ErrorKind::Failed, "no"));
        let (shown, failure) = save(&folder, no, || "shown");
        assert_eq!(shown, "shown");
        assert!(failure.unwrap().to_string().contains("only shown here"));
    }
}
