//! Keeps a password that was given in an argument out of the process list, and out of every message.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    process::Command,
};

use super::inherited;

const FLAG: &str = "--database-url";

/// Flags whose value is text of the user's, which is sent and not connected to.
const OF_TEXT: [&str; 2] = ["--query", "--parameter"];

/// Where the program that begins again finds the URL of the flag.
const HIDDEN: &str = "LATCLINIC_HIDDEN_DATABASE_URL";

/// What stands for a connection string with a password in the arguments.
const PLACEHOLDER: &str = "***";

/// Starts the program again, in the same process, with a placeholder for each argument that is a connection string with a password;
/// that of the flag goes into the environment, where other users cannot read it. Which command knows the flag is none of its
/// business: the flag stays. Returns if there is no such argument.
///
/// # Errors
/// The system's, when the program cannot be started again.
pub(super) fn hide_password() -> std::io::Result<()> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let hidden = hide(&arguments);
    if hidden.arguments == arguments {
        return Ok(());
    }
    if inherited::stdout_closed() {
        // The program that begins again has to find it as this one did.
        nix::unistd::close(nix::libc::STDOUT_FILENO)?;
    }
    let mut command = Command::new(env::current_exe()?);
    command.args(hidden.arguments);
    if let Some(url) = hidden.url {
        command.env(HIDDEN, url);
    }
    Err(command.exec())
}

/// The URL that a value of the flag stands for; `None` if it is not text.
pub(super) fn revealed(value: &str) -> Option<String> {
    if value == PLACEHOLDER { env::var(HIDDEN).ok() } else { Some(value.to_owned()) }
}

/// Whether an argument names a database, as only the value of the flag should.
pub(super) fn names_database(argument: &str) -> bool {
    argument == PLACEHOLDER || is_url(argument) || is_key_values(argument)
}

/// Arguments without passwords.
struct Hidden {
    arguments: Vec<OsString>,
    /// The last one of the flag that was taken out.
    url: Option<OsString>,
}

fn hide(arguments: &[OsString]) -> Hidden {
    let mut hidden = Hidden { arguments: Vec::with_capacity(arguments.len()), url: None };
    // The flag that the next argument is the value of.
    let mut flag: Option<&str> = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if flag.is_none() && argument == "--" {
            hidden.arguments.push(argument.clone());
            hidden.arguments.extend(arguments.cloned());
            break;
        }
        let text = argument.to_string_lossy();
        let (name, value) = match (flag.take(), text.split_once('=')) {
            (Some(name), _) => (name.to_owned(), text.as_ref()),
            (None, Some((name, value))) if name.starts_with("--") => (name.to_owned(), value),
            (None, _) if text.starts_with("--") => {
                flag = [FLAG, OF_TEXT[0], OF_TEXT[1]].into_iter().find(|flag| text == *flag);
                hidden.arguments.push(argument.clone());
                continue;
            }
            (None, _) => (String::new(), text.as_ref()),
        };
        let is_of_flag = name == FLAG;
        let hides = match is_of_flag {
            true => may_hold_password(value),
            false => !OF_TEXT.contains(&name.as_str()) && names_database(value) && may_hold_password(value),
        };
        if !hides {
            hidden.arguments.push(argument.clone());
            continue;
        }
        let prefix = text.strip_suffix(value).unwrap_or_default();
        hidden.arguments.push(format!("{prefix}{PLACEHOLDER}").into());
        if is_of_flag {
            // Bytes that are no text are kept where they are a value of their own.
            let value = if prefix.is_empty() { argument.as_os_str() } else { OsStr::new(value) };
            hidden.url = Some(value.to_owned());
        }
    }
    hidden
}

/// Whether a text is a URL of a kind that may have a password.
fn is_url(text: &str) -> bool {
    let text = text.trim();
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
        let is_postgres = scheme.eq_ignore_ascii_case("postgres") || scheme.eq_ignore_ascii_case("postgresql");
        is_scheme && (is_postgres || rest.contains('@'))
    })
}

/// Whether a text is of the form `host=.. password=..`.
fn is_key_values(text: &str) -> bool {
    const KEYS: [&str; 6] = ["host", "hostaddr", "dbname", "user", "password", "port"];
    let key = text.trim_start().split_once('=').map_or("", |(key, _)| key.trim_end());
    KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// Whether a connection string seems to hold a password; in doubt, yes.
fn may_hold_password(url: &str) -> bool {
    // A key may be written with escapes.
    if url.to_ascii_lowercase().contains("password") || url.contains('%') {
        return true;
    }
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(arguments: &[&str]) -> (Vec<String>, Option<String>) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let Hidden { arguments, url } = hide(&arguments);
        let text = |argument: OsString| argument.to_string_lossy().into_owned();
        (arguments.into_iter().map(text).collect(), url.map(text))
    }

    const URL: &str = "postgres://u:p@h/d";

    #[test]
    fn both_spellings_of_the_flag_keep_the_flag() {
        let of = |arguments: &[&str]| {
            let (arguments, url) = hidden(arguments);
            (arguments.join(" "), url)
        };
        assert_eq!(
            of(&["run", "--database-url", URL, "events"]),
            ("run --database-url *** events".into(), Some(URL.into()))
        );
        let joined = format!("--database-url={URL}");
        assert_eq!(of(&["run", &joined, "events"]), ("run --database-url=*** events".into(), Some(URL.into())));
        assert_eq!(of(&["run", "--database-url"]), ("run --database-url".into(), None));
        assert_eq!(of(&["run", "--database-url", "postgres://u@h/d"]).1, None);
    }

    #[test]
    fn what_is_in_a_wrong_place_is_hidden_too() {
        for argument in [URL, "host=h user=u password=p", "password='a b'", "mysql://u:p@h/d", " postgresql://u:p@h"] {
            assert_eq!(hidden(&["bench", argument]), (vec!["bench".to_owned(), "***".to_owned()], None), "{argument}");
            let joined = format!("--output={argument}");
            assert_eq!(hidden(&["bench", &joined]).0[1], "--output=***", "{argument}");
        }
        for kept in [
            &["server", "psql", "--", "--database-url", URL][..],
            &["explain", "--query", URL],
            &["explain", "--query=SELECT 1", "--parameter", URL],
            &["bench", "my:file@home.toml", "--gate", "p99 improves by 2x"],
            &["seed", "***"],
        ] {
            let (arguments, url) = hidden(kept);
            assert_eq!((arguments, url), (kept.iter().map(|argument| (*argument).to_owned()).collect(), None));
        }
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
