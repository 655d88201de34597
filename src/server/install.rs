//! Says how to install PostgreSQL on this system.

use std::path::Path;

use super::{error::Error, versions::SUPPORTED};
use crate::{
    files::{self, MIB},
    text::Field,
};

/// System, its ids in os-release, and the command.
const COMMANDS: &[(&str, &[&str], &str)] = &[
    ("Debian/Ubuntu", &["debian", "ubuntu"], "sudo apt-get install postgresql"),
    ("Fedora", &["fedora", "rhel", "centos"], "sudo dnf install postgresql-server postgresql-contrib"),
    ("Alpine", &["alpine"], "apk add postgresql postgresql-contrib"),
    ("macOS", &["macos"], "brew install postgresql@18"),
];

/// The error when no usable binaries were found; `unsupported` are those of other versions.
pub(super) fn missing(unsupported: &[String]) -> Error {
    let mut message =
        format!("no PostgreSQL {} to {} server binaries on this machine", SUPPORTED.start(), SUPPORTED.end());
    if !unsupported.is_empty() {
        message.push_str(&format!(" (found {})", unsupported.join(", ")));
    }
    Error::failed(message).with_hint(advice(&system_ids())).about(&[Field::PgBin])
}

fn advice(ids: &[String]) -> String {
    let fits = |system: &&(&str, &[&str], &str)| system.1.iter().any(|id| ids.iter().any(|known| known == id));
    let (here, elsewhere): (Vec<_>, Vec<_>) = COMMANDS.iter().partition(fits);
    let mut lines = vec![format!("install them, or name their folder with {}:", Field::PgBin)];
    lines.extend(here.iter().chain(&elsewhere).map(|(system, _, command)| format!("    {system:<14} {command}")));
    lines.join("\n")
}

/// This system's id and those it is like, best first.
fn system_ids() -> Vec<String> {
    if cfg!(target_os = "macos") {
        return vec!["macos".to_owned()];
    }
    ids_in(&files::read_text(Path::new("/etc/os-release"), MIB).unwrap_or_default())
}

fn ids_in(os_release: &str) -> Vec<String> {
    let value = |key: &str| {
        os_release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|value| value.trim_matches(['"', '\'']).to_owned())
            .unwrap_or_default()
    };
    format!("{} {}", value("ID"), value("ID_LIKE")).split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_this_system_comes_first() {
        let ids = ids_in("NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.1\n");
        insta::assert_snapshot!(advice(&ids), @"
        install them, or name their folder with `pg_bin`:
            Alpine         apk add postgresql postgresql-contrib
            Debian/Ubuntu  sudo apt-get install postgresql
            Fedora         sudo dnf install postgresql-server postgresql-contrib
            macOS          brew install postgresql@18
        ");
    }

    #[test]
    fn a_system_is_known_by_what_it_is_like() {
        assert_eq!(ids_in("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"), ["rocky", "rhel", "centos", "fedora"]);
        assert!(advice(&ids_in("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n")).contains("`pg_bin`:\n    Debian"));
        assert!(advice(&[]).contains("`pg_bin`:\n    Debian"));
    }
}
