//! Where a scenario's files are read: beside the scenario on disk, or in the binary.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use super::bundled;
use crate::files::{self, MIB};

/// More than any file of a scenario needs; a device or a dump given by mistake is not read to its end.
const LARGEST: u64 = 16 * MIB;

/// Files beside a scenario.
#[derive(Debug)]
pub(super) enum Files {
    /// Bundled into the binary.
    Bundled,
    /// Relative to this folder.
    Disk(PathBuf),
}

impl Files {
    /// How a person finds a file that the scenario names.
    pub(super) fn display_name(&self, relative: &str) -> String {
        let folder = match self {
            Self::Bundled => Path::new(bundled::FOLDER),
            Self::Disk(folder) => folder,
        };
        tidy(&folder.join(relative)).display().to_string()
    }

    /// Reads a file that the scenario names.
    pub(super) fn read(&self, relative: &str) -> io::Result<String> {
        match self {
            Self::Bundled => bundled::file(&self.display_name(relative))
                .map(str::to_owned)
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)),
            Self::Disk(folder) => files::read_text(&folder.join(relative), LARGEST),
        }
    }

    /// Names beside a file that is not there, for the nearest one.
    pub(super) fn siblings(&self, relative: &str) -> Vec<String> {
        let Self::Disk(folder) = self else { return Vec::new() };
        let path = folder.join(relative);
        let entries = path.parent().and_then(|parent| parent.read_dir().ok());
        entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .take(1000)
            .collect()
    }
}

/// Reads a scenario's file.
pub(super) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    files::read(path, LARGEST)
}

/// `a/../b` as `b`: for display only, since a link may make them differ.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        let up = part == Component::ParentDir;
        if up && matches!(tidied.components().next_back(), Some(Component::Normal(_))) {
            tidied.pop();
        } else if part != Component::CurDir {
            tidied.push(part);
        }
    }
    tidied
}
