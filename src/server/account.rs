//! As whom the server runs.
//!
//! PostgreSQL refuses to run as root, so root runs it as the owner of the cluster or its data folder where that is not
//! root, else as `postgres`, else as `nobody`. Anyone else runs it as themselves.

use std::{
    fs,
    os::unix::fs::{MetadataExt, lchown},
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User, getegid, geteuid};

use super::error::{Error, Result};

/// The user that the server's processes run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Name for a person.
    pub(super) name: String,
    /// Whether latclinic is root and has to become this user.
    pub(super) switch: bool,
}

impl Account {
    /// The account for a cluster, which need not exist, in a data folder.
    ///
    /// # Errors
    /// When the cluster belongs to somebody else, or root finds no user to run as.
    pub(super) fn for_cluster(cluster: &Path, root: &Path) -> Result<Self> {
        let owner = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.uid());
        if geteuid().is_root() {
            Self::for_root(owner(cluster).or_else(|| owner(root)))
        } else {
            Self::for_ordinary_user(owner(cluster), cluster)
        }
    }

    fn for_ordinary_user(owner: Option<u32>, cluster: &Path) -> Result<Self> {
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        if let Some(owner) = owner.filter(|&owner| owner != uid) {
            let message = format!("the data folder {} belongs to {}", cluster.display(), name_of(owner));
            return Err(Error::usage(message).or_elsewhere("run latclinic as that user or root"));
        }
        Ok(Self { uid, gid, name: name_of(uid), switch: false })
    }

    fn for_root(owner: Option<u32>) -> Result<Self> {
        let user = match owner.filter(|&owner| owner != 0) {
            Some(owner) => User::from_uid(Uid::from_raw(owner)).ok().flatten(),
            None => ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten()),
        };
        let user = user.filter(|user| !user.uid.is_root()).ok_or_else(|| {
            Error::failed("PostgreSQL does not run as root, and there is no other user to run it as")
                .with_hint("create one with `useradd --system postgres`, or run latclinic as an ordinary user")
        })?;
        Ok(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), name: user.name, switch: true })
    }

    /// Makes `path` itself, not what it links to, belong to this account.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        if !self.switch {
            return Ok(());
        }
        lchown(path, Some(self.uid), Some(self.gid)).map_err(|cause| Error::io("change the owner of", path, cause))
    }

    /// The first folder on the way to `path` that this account may not pass, by its mode bits.
    pub(super) fn blocked_at(&self, path: &Path) -> Option<PathBuf> {
        let mut folders: Vec<&Path> = path.ancestors().collect();
        folders.reverse();
        folders
            .into_iter()
            .find(|folder| {
                fs::metadata(folder).is_ok_and(|found| {
                    let bit = if found.uid() == self.uid {
                        0o100
                    } else if found.gid() == self.gid {
                        0o010
                    } else {
                        0o001
                    };
                    found.is_dir() && found.mode() & bit == 0
                })
            })
            .map(Path::to_path_buf)
    }

    /// The error when a program could not be started for this account in `cwd`.
    pub(super) fn cannot_spawn(&self, program: &Path, cwd: &Path, cause: std::io::Error) -> Error {
        for (what, path) in [("the data folder", cwd), ("the server's binaries", program)] {
            if let Some(blocked) = self.blocked_at(path) {
                let message = format!(
                    "user {}, who runs the server, cannot reach {what} {}: {} is closed to it",
                    self.name,
                    path.display(),
                    blocked.display()
                );
                return Error::usage(message).or_elsewhere(&format!("`chmod o+x {}`", blocked.display()));
            }
        }
        Error::failed(format!("cannot run {} as user {}", program.display(), self.name)).with_source(cause)
    }
}

fn name_of(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        let root = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        let closed = root.path().join("closed");
        let inner = closed.join("inner");
        fs::create_dir_all(&inner).unwrap();
        let stranger = Account { uid: 4_000_001, gid: 4_000_001, name: "stranger".to_owned(), switch: true };
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(stranger.blocked_at(&inner), None);
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(stranger.blocked_at(&inner), Some(closed));
    }
}
