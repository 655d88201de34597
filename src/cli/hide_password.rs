//! Keeps a password that was given in `--database-url` out of the process list.

use std::{env, ffi::OsString, os::unix::process::CommandExt, process::Command};

use super::inherited;

const FLAG: &str = "--database-url";
const VARIABLE: &str = "LATCLINIC_DATABASE_URL";

/// Starts the program again, in the same process, with the URL in the environment where other users cannot read it, if
/// the arguments hold a URL with a password. Returns otherwise.
///
/// # Errors
/// The system's, when the program cannot be started again.
pub(super) fn hide_password() -> std::io::Result<()> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let Some((rest, url)) = without_url(&arguments) else { return Ok(()) };
    if !may_hold_password(&url.to_string_lossy()) {
        return Ok(());
    }
    if inherited::stdout_closed() {
        // The program that begins again has to find it as this one did.
        nix::unistd::close(nix::libc::STDOUT_FILENO)?;
    }
    Err(Command::new(env::current_exe()?).args(rest).env(VARIABLE, url).exec())
}

/// The arguments without the flag, and the flag's last value, as clap would read them before a `--`.
fn without_url(arguments: &[OsString]) -> Option<(Vec<OsString>, OsString)> {
    let mut rest = Vec::new();
    let mut url = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            rest.push(argument.clone());
            rest.extend(arguments.cloned());
            break;
        }
        let text = argument.to_string_lossy();
        if argument == FLAG {
            url = Some(arguments.next()?.clone());
        } else if let Some(value) = text.strip_prefix(FLAG).and_then(|text| text.strip_prefix('=')) {
            url = Some(OsString::from(value));
        } else {
            rest.push(argument.clone());
        }
    }
    url.map(|url| (rest, url))
}

/// Whether a connection string seems to hold a password; in doubt, yes.
fn may_hold_password(url: &str) -> bool {
    // A key may be written with escapes.
    if url.contains("password") || url.contains('%') {
        return true;
    }
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(arguments: &[&str]) -> Option<(Vec<String>, String)> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let (rest, url) = without_url(&arguments)?;
        Some((
            rest.into_iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
            url.to_string_lossy().into_owned(),
        ))
    }

    #[test]
    fn both_spellings_are_taken_out() {
        let rest = vec!["run".to_owned(), "events".to_owned()];
        assert_eq!(
            split(&["run", "--database-url", "postgres://u:p@h/d", "events"]),
            Some((rest.clone(), "postgres://u:p@h/d".into()))
        );
        assert_eq!(
            split(&["run", "--database-url=postgres://u:p@h/d", "events"]),
            Some((rest, "postgres://u:p@h/d".into()))
        );
        assert_eq!(split(&["run", "events"]), None);
        assert_eq!(split(&["run", "--database-url"]), None);
        assert_eq!(split(&["server", "psql", "--", "--database-url", "x"]), None);
    }

    #[test]
    fn a_password_is_suspected_wherever_one_can_stand() {
        for url in ["postgres://u:p@h/d", "postgres://u:p%40@h:1/d", "host=h password=p", "postgres://h/d?password=p"] {
            assert!(may_hold_password(url), "{url}");
        }
        for url in ["postgres://u@h:5432/d", "postgres://h:5432/d", "host=h user=u"] {
            assert!(!may_hold_password(url), "{url}");
        }
    }
}
