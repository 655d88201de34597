//! The folder of the server's socket: short, private, outside the data folder.
//!
//! A Unix socket's path may not be longer than 107 bytes (103 on macOS), so it cannot lie in the data folder. Who may
//! enter the folder may connect, for there is no password: it is open to the server's user alone.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    account::Account,
    error::{Error, Result},
};

/// The port that names the socket. Each server has a folder of its own, so it never clashes.
pub(super) const PORT: u16 = 5432;

/// Longest path of a socket on every supported system, in bytes.
const LONGEST: usize = 103;

/// Makes the socket folder of the server for the data in `root`, empty.
pub(super) fn prepare(root: &Path, account: &Account) -> Result<PathBuf> {
    let mut error = None;
    for base in bases(account) {
        match prepare_in(&base, root, account) {
            Ok(folder) => return Ok(folder),
            Err(failed) => error = error.or(Some(failed)),
        }
    }
    Err(error.unwrap_or_else(|| Error::failed("there is no folder for the server's socket, not even /tmp")))
}

/// Takes the socket folder away after the server has ended.
pub(super) fn remove(folder: &Path) {
    // Not worth an error: the next start makes use of what is left.
    let _ = remove_sockets(folder);
    let _ = fs::remove_dir(folder);
}

/// Removes what a server that was killed left in its socket folder.
fn remove_sockets(folder: &Path) -> Result<()> {
    let socket = socket_path(folder);
    for path in [&socket, &socket.with_file_name(format!(".s.PGSQL.{PORT}.lock"))] {
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove the old socket", path, cause));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Runtime folders, best first.
fn bases(account: &Account) -> Vec<PathBuf> {
    // Root's XDG_RUNTIME_DIR is closed to the user who runs the server; into /run nobody else can put anything.
    let preferred = if account.switch {
        Some(PathBuf::from("/run"))
    } else {
        std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from)
    };
    preferred.into_iter().chain([PathBuf::from("/tmp")]).filter(|base| usable(base)).collect()
}

/// Whether a base is short enough, exists, and has a path that PostgreSQL's list of folders takes as it is.
fn usable(base: &Path) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    base.is_absolute()
        && base.is_dir()
        && base.as_os_str().as_bytes().iter().all(plain)
        && socket_path(&base.join(name(base))).as_os_str().len() <= LONGEST
}

fn name(root: &Path) -> String {
    let hash = Sha256::digest(root.as_os_str().as_bytes());
    hash.iter().take(8).fold("latclinic-".to_owned(), |name, byte| name + &format!("{byte:02x}"))
}

/// Path of the socket itself.
pub(super) fn socket_path(folder: &Path) -> PathBuf {
    folder.join(format!(".s.PGSQL.{PORT}"))
}

fn prepare_in(base: &Path, root: &Path, account: &Account) -> Result<PathBuf> {
    let folder = base.join(name(root));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => account.own(&folder)?,
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(Error::io("create the socket's folder", &folder, cause)),
    }
    let found =
        fs::symlink_metadata(&folder).map_err(|cause| Error::io("look at the socket's folder", &folder, cause))?;
    let left_half_made = account.switch && found.is_dir() && found.uid() == 0;
    if left_half_made {
        account.own(&folder)?;
    } else if !found.is_dir() || found.uid() != account.uid {
        return Err(Error::failed(format!("{} is not a folder of user {}", folder.display(), account.name))
            .with_hint("another user owns the path of the server's socket; remove it"));
    }
    if found.mode() & 0o077 != 0 {
        return Err(Error::failed(format!("{} is open to other users", folder.display()))
            .with_hint(format!("`chmod 700 {}`", folder.display())));
    }
    remove_sockets(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use nix::unistd::{getegid, geteuid};

    use super::*;

    fn me() -> Account {
        Account { uid: geteuid().as_raw(), gid: getegid().as_raw(), name: "me".to_owned(), switch: false }
    }

    #[test]
    fn the_folder_is_private_empty_and_the_same_each_time() {
        let base = tempfile::tempdir().unwrap();
        let root = Path::new("/some/data");
        let folder = prepare_in(base.path(), root, &me()).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::write(socket_path(&folder), "").unwrap();
        assert_eq!(prepare_in(base.path(), root, &me()).unwrap(), folder);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        assert_ne!(prepare_in(base.path(), Path::new("/other"), &me()).unwrap(), folder);
    }

    #[test]
    fn a_folder_that_somebody_prepared_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let root = Path::new("/some/data");
        let folder = base.path().join(name(root));
        symlink(base.path(), &folder).unwrap();
        assert!(prepare_in(base.path(), root, &me()).unwrap_err().to_string().contains("is not a folder of user me"));
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(prepare_in(base.path(), root, &me()).unwrap_err().to_string().contains("is open to other users"));
    }

    #[test]
    fn a_base_that_is_too_long_or_odd_is_passed_over() {
        let base = tempfile::tempdir().unwrap();
        assert!(usable(Path::new("/tmp")));
        for odd in ["with,comma".to_owned(), "l".repeat(80)] {
            let odd = base.path().join(odd);
            fs::create_dir(&odd).unwrap();
            assert!(!usable(&odd), "{}", odd.display());
        }
        assert!(!usable(&base.path().join("missing")));
    }
}
