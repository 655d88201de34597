//! Room on a disk, taken before it is needed.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use crate::files::MIB;

/// What a file takes besides its bytes: its last block, its name, what the file system notes of it.
const OF_A_FILE: u64 = 16 << 10;

/// A file without a name: a disk that others fill during a measurement does not take the place of what is written in the end.
#[derive(Debug, Default)]
pub(super) struct Room(Option<(File, u64)>);

impl Room {
    /// Takes so many bytes of the disk that `folder` is on.
    ///
    /// # Errors
    /// The file system's, when there is not so much.
    pub(super) fn take(folder: &Path, bytes: u64) -> io::Result<Self> {
        let mut file = tempfile::tempfile_in(folder)?;
        if !is_allocated(&file, bytes)? {
            let zeros = vec![0; MIB as usize];
            let mut left = bytes;
            while left > 0 {
                let part = left.min(MIB);
                file.write_all(&zeros[..part as usize])?;
                left -= part;
            }
            // Some file systems look for room only when the bytes leave the memory.
            file.sync_all()?;
        }
        Ok(Self(Some((file, bytes))))
    }

    /// Gives back what a file of so many bytes takes, and keeps the rest.
    pub(super) fn give_back(&mut self, bytes: u64) {
        if let Some((file, held)) = &mut self.0 {
            *held = held.saturating_sub(bytes.saturating_add(OF_A_FILE));
            if *held == 0 || file.set_len(*held).is_err() {
                self.0 = None;
            }
        }
    }
}

/// Allocates the bytes of an empty file; `false` where the file system cannot do it but by writing them.
#[cfg(target_os = "linux")]
fn is_allocated(file: &File, bytes: u64) -> io::Result<bool> {
    use nix::{
        errno::Errno,
        fcntl::{FallocateFlags, fallocate},
    };
    match fallocate(file, FallocateFlags::empty(), 0, bytes.cast_signed()) {
        Ok(()) => Ok(true),
        Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_allocated(_: &File, _: u64) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_given_back_and_the_rest_kept() {
        let root = tempfile::tempdir().unwrap();
        let mut room = Room::take(root.path(), MIB).unwrap();
        let held = |room: &Room| room.0.as_ref().map(|(file, _)| file.metadata().unwrap().len());
        assert_eq!(held(&room), Some(MIB));
        room.give_back(MIB / 2);
        assert_eq!(held(&room), Some(MIB / 2 - OF_A_FILE));
        room.give_back(MIB);
        assert_eq!(held(&room), None);
        room.give_back(1);
    }
}
