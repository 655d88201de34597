//! Finds the PostgreSQL binaries to run.
//!
//! A folder given by the user wins outright. Otherwise every usual place is asked and the newest version wins. A folder
//! counts when it has `initdb` beside a `postgres` that says which version it is.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    error::{Error, Result},
    install,
};
use crate::{server::versions::SUPPORTED, text::Field};

/// Folders with one installation each; `*` stands for any name of one path component.
const USUAL_PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// A folder with server binaries of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Folder that holds `postgres` and `initdb`.
    pub bin: PathBuf,
    /// Major version, such as 15.
    pub major: u32,
    /// Number within the major version; 0 for a beta.
    minor: u32,
    /// The version as PostgreSQL writes it, such as `15.18`.
    pub version: String,
}

impl Installation {
    /// Path of a program of this installation.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Whether the library of pg_stat_statements is installed: preloading a missing one would keep the server from starting.
    pub(super) fn has_pg_stat_statements(&self) -> bool {
        let asked = output(&self.program("pg_config"), "--pkglibdir").map(PathBuf::from);
        let beside =
            ["../lib", "../lib/postgresql", "../lib64/pgsql", "../lib/pgsql"].map(|place| self.bin.join(place));
        let alpine = self.bin.join(format!("../../lib/postgresql{}", self.major));
        asked.into_iter().chain(beside).chain([alpine]).any(|folder| {
            ["so", "dylib"].iter().any(|suffix| folder.join("pg_stat_statements").with_extension(suffix).is_file())
        })
    }
}

/// Where to look when the user names no folder.
#[derive(Debug, Clone)]
struct Places {
    path: OsString,
    patterns: Vec<PathBuf>,
}

impl Places {
    fn of_this_machine() -> Self {
        let patterns = USUAL_PLACES.iter().map(PathBuf::from).collect();
        Self { path: std::env::var_os("PATH").unwrap_or_default(), patterns }
    }

    fn folders(&self) -> Vec<PathBuf> {
        let on_path: Vec<PathBuf> = std::env::split_paths(&self.path).filter(|folder| folder.is_absolute()).collect();
        let pg_config = on_path.iter().map(|folder| folder.join("pg_config")).find(|program| program.is_file());
        let mut folders: Vec<PathBuf> =
            pg_config.and_then(|program| output(&program, "--bindir")).map(PathBuf::from).into_iter().collect();
        folders.extend(on_path);
        folders.extend(self.patterns.iter().flat_map(|pattern| expand(pattern)));
        folders
    }
}

/// Finds the binaries: those in `pg_bin` or else the newest supported ones of this machine.
///
/// # Errors
/// Says how to install PostgreSQL where there is none, and what is wrong with `pg_bin` where it was given.
pub fn find(pg_bin: Option<&Path>) -> Result<Installation> {
    match pg_bin {
        Some(folder) => given(folder),
        None => newest(&Places::of_this_machine()),
    }
}

fn given(folder: &Path) -> Result<Installation> {
    let way_out = "name the folder that holds postgres and initdb, such as /usr/lib/postgresql/18/bin, or omit it to let \
                   latclinic search";
    let refused = |message: String| Error::usage(message).about(&[Field::PgBin]);
    for program in ["postgres", "initdb"] {
        if !folder.join(program).is_file() {
            return Err(refused(format!("{} {} holds no {program}", Field::PgBin, folder.display())).with_hint(way_out));
        }
    }
    let Some(found) = inspect(folder) else {
        let message = format!("{} does not report its version", folder.join("postgres").display());
        return Err(refused(message).with_hint(way_out));
    };
    if SUPPORTED.contains(&found.major) {
        return Ok(found);
    }
    Err(refused(format!("{} {} holds PostgreSQL {}", Field::PgBin, folder.display(), found.version))
        .with_hint(format!("latclinic runs PostgreSQL {} to {}", SUPPORTED.start(), SUPPORTED.end())))
}

fn newest(places: &Places) -> Result<Installation> {
    let mut found: Vec<Installation> = Vec::new();
    for folder in places.folders() {
        if let Some(installation) = inspect(&folder)
            && !found.iter().any(|known| known.bin == installation.bin)
        {
            found.push(installation);
        }
    }
    let unsupported: Vec<String> = found
        .iter()
        .filter(|installation| !SUPPORTED.contains(&installation.major))
        .map(|installation| format!("{} in {}", installation.version, installation.bin.display()))
        .collect();
    found
        .into_iter()
        .filter(|installation| SUPPORTED.contains(&installation.major))
        .reduce(|best, next| if (next.major, next.minor) > (best.major, best.minor) { next } else { best })
        .ok_or_else(|| install::missing(&unsupported))
}

/// The installation in a folder, or in the folder that its `postgres` links to.
fn inspect(folder: &Path) -> Option<Installation> {
    let target = fs::canonicalize(folder.join("postgres")).ok()?;
    let bin = [target.parent()?, folder].into_iter().find(|folder| folder.join("initdb").is_file())?;
    let text = output(&bin.join("postgres"), "--version")?;
    let (version, major, minor) = parse_version(&text)?;
    Some(Installation { bin: bin.to_path_buf(), major, minor, version })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` to its version, major and minor.
fn parse_version(text: &str) -> Option<(String, u32, u32)> {
    let version = text.strip_prefix("postgres (PostgreSQL) ")?.split_whitespace().next()?;
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let major = digits(version);
    let minor = version[major.len()..].strip_prefix('.').map(digits).and_then(|text| text.parse().ok()).unwrap_or(0);
    Some((version.to_owned(), major.parse().ok()?, minor))
}

/// First line that `program argument` prints, if it ends well.
fn output(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Existing folders that match a path with `*` in its components.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    pattern.components().fold(vec![PathBuf::new()], |folders, component| {
        let component = component.as_os_str();
        let Some((before, after)) = component.to_str().and_then(|text| text.split_once('*')) else {
            return folders.into_iter().map(|folder| folder.join(component)).collect();
        };
        let matches =
            |name: &str| name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after);
        folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(matches))
            .map(|entry| entry.path())
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn fake(folder: &Path, version: &str) {
        fs::create_dir_all(folder).unwrap();
        for program in ["postgres", "initdb"] {
            let path = folder.join(program);
            fs::write(&path, format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn search(root: &Path, path: &[&Path]) -> Result<Installation> {
        newest(&Places {
            path: std::env::join_paths(path).unwrap(),
            patterns: vec![root.join("lib/*/bin"), root.join("pgsql-*/bin")],
        })
    }

    #[test]
    fn versions_are_read_as_postgresql_writes_them() {
        let parsed =
            |text: &str| parse_version(text).map(|(version, major, minor)| format!("{version} {major} {minor}"));
        assert_eq!(parsed("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)").as_deref(), Some("15.18 15 18"));
        assert_eq!(parsed("postgres (PostgreSQL) 18beta2").as_deref(), Some("18beta2 18 0"));
        assert_eq!(parsed("postgres (PostgreSQL) 19devel").as_deref(), Some("19devel 19 0"));
        assert_eq!(parsed("psql (PostgreSQL) 15.18"), None);
    }

    #[test]
    fn the_newest_supported_version_wins_wherever_it_is() {
        let root = tempfile::tempdir().unwrap();
        for (folder, version) in
            [("lib/9/bin", "9.6.24"), ("lib/14/bin", "14.23"), ("pgsql-17/bin", "17.10"), ("lib/19/bin", "19.0")]
        {
            fake(&root.path().join(folder), version);
        }
        fake(&root.path().join("on-path"), "17.9");
        let found = search(root.path(), &[&root.path().join("on-path")]).unwrap();
        assert_eq!((found.version.as_str(), found.bin), ("17.10", root.path().join("pgsql-17/bin")));
    }

    #[test]
    fn a_linked_postgres_leads_to_its_own_folder() {
        let root = tempfile::tempdir().unwrap();
        fake(&root.path().join("real"), "16.4");
        fs::create_dir(root.path().join("links")).unwrap();
        symlink(root.path().join("real/postgres"), root.path().join("links/postgres")).unwrap();
        let found = search(root.path(), &[&root.path().join("links")]).unwrap();
        assert_eq!(found.bin, fs::canonicalize(root.path().join("real")).unwrap());
    }

    #[test]
    fn a_folder_without_initdb_does_not_count() {
        let root = tempfile::tempdir().unwrap();
        fake(&root.path().join("lib/16/bin"), "16.4");
        fs::remove_file(root.path().join("lib/16/bin/initdb")).unwrap();
        let error = search(root.path(), &[]).unwrap_err();
        assert_eq!(error.to_string(), "no PostgreSQL 14 to 18 server binaries on this machine");
    }

    #[test]
    fn an_unsupported_version_alone_is_named() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("lib/9/bin");
        fake(&bin, "9.6.24");
        let error = search(root.path(), &[]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("no PostgreSQL 14 to 18 server binaries on this machine (found 9.6.24 in {})", bin.display())
        );
    }

    #[test]
    fn a_given_folder_that_is_no_good_is_its_own_error() {
        let root = tempfile::tempdir().unwrap();
        let error = given(root.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("`pg_bin` {} holds no postgres", root.path().display()));
        assert!(error.is_usage());
        fake(root.path(), "12.22");
        let error = given(root.path()).unwrap_err();
        assert_eq!(error.to_string(), format!("`pg_bin` {} holds PostgreSQL 12.22", root.path().display()));
        assert_eq!(error.hint(), Some("latclinic runs PostgreSQL 14 to 18"));
    }
}
