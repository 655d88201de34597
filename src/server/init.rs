//! Makes a cluster: initdb into a folder beside its place, then a rename, so that a half-made one never has its name.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, Write},
    path::Path,
    process::Stdio,
};

use tokio_util::sync::CancellationToken;

use super::{
    error::{Error, Result},
    options::{DATABASE, USER},
    process::{self, Orphan},
    settings,
    site::Site,
};

/// Makes the cluster of a site with its database.
pub(super) fn create(site: &Site<'_>, cancel: &CancellationToken) -> Result<()> {
    let Site { folder, cluster, installation, account } = site;
    let unfinished = tempfile::Builder::new()
        .prefix(&cluster.unfinished_prefix())
        .tempdir_in(folder.root())
        .map_err(|cause| Error::io("create a folder in", folder.root(), cause))?;
    let path = unfinished.path();
    account.own(path)?;

    let mut initdb = process::command(&installation.program("initdb"), account, path, Orphan::Stops);
    initdb.arg("--pgdata").arg(path);
    // Everybody who reaches the socket is let in, and only the server's user and root reach it; nobody comes by TCP.
    initdb.args(["--username", USER, "--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject"]);
    // One sync of the whole below instead of 1300 here, which take seconds on a busy disk.
    initdb.args(["--no-instructions", "--no-sync"]);
    process::run(initdb, "initdb", account, folder, cancel)?;

    let mut single = process::command(&installation.program("postgres"), account, path, Orphan::Stops);
    single.arg("--single").arg("-D").arg(path).args(["-c", "exit_on_error=on", "-c", "fsync=off", "postgres"]);
    single.stdin(input(&format!("CREATE DATABASE {DATABASE};\n"))?);
    process::run(single, "creating the database", account, folder, cancel)?;

    let conf = path.join("postgresql.conf");
    OpenOptions::new()
        .append(true)
        .open(&conf)
        .and_then(|mut file| file.write_all(settings::INCLUDE.as_bytes()))
        .map_err(|cause| Error::io("write", &conf, cause))?;
    // The content is on disk before the name is: a cluster that has its name is whole, whatever happens to the machine.
    sync(folder.root())?;
    fs::rename(path, &cluster.path).map_err(|cause| Error::io("create", &cluster.path, cause))?;
    File::open(folder.root()).and_then(|root| root.sync_all()).map_err(|cause| Error::io("sync", folder.root(), cause))
}

/// Writes everything of the file system of `folder` to disk.
#[cfg(target_os = "linux")]
fn sync(folder: &Path) -> Result<()> {
    let failed = |cause: io::Error| Error::io("sync", folder, cause);
    let open = File::open(folder).map_err(failed)?;
    nix::unistd::syncfs(open).map_err(|cause| failed(cause.into()))
}

#[cfg(not(target_os = "linux"))]
fn sync(_: &Path) -> Result<()> {
    nix::unistd::sync();
    Ok(())
}

/// A file with this text to be read by a child.
fn input(text: &str) -> Result<Stdio> {
    tempfile::tempfile()
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.rewind()).map(|()| file.into()))
        .map_err(|cause| Error::io("use", &std::env::temp_dir(), cause))
}
