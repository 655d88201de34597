//! The password file, as libpq reads it: `host:port:database:user:password` lines, `*` for any.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use crate::files::{self, MIB};

/// What the file has for a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A line fits.
    Password(String),
    /// No line fits, or there is no file.
    Nothing,
    /// There is one, but it was not read: why, and the way out.
    Unread(String),
}

/// Looks up the password. A socket's folder counts as `localhost` too.
pub(crate) fn look_up(file: &Path, host: &str, port: u16, database: &str, user: &str) -> Found {
    let unread = |why: &str| Found::Unread(format!("the password file {} was not read: {why}", file.display()));
    let mode = match fs::metadata(file) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return unread(&error.to_string()),
    };
    if mode & 0o077 != 0 {
        return unread("others may read it; chmod 600 it");
    }
    match files::read_text(file, MIB) {
        Ok(text) => find(&text, host, port, database, user).map_or(Found::Nothing, Found::Password),
        Err(error) => unread(&error.to_string()),
    }
}

fn find(text: &str, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let port = port.to_string();
    text.lines().filter(|line| !line.starts_with('#')).map(fields).find_map(|fields| {
        let [for_host, for_port, for_database, for_user, password] = fields.try_into().ok()?;
        let fits = |field: &str, value: &str| field == "*" || field == value;
        let host_fits = fits(&for_host, host) || (host.starts_with('/') && for_host == "localhost");
        (host_fits && fits(&for_port, &port) && fits(&for_database, database) && fits(&for_user, user))
            .then_some(password)
    })
}

/// Splits at `:`; `\` takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let c = match c {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => rest.next(),
            c => Some(c),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(c);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "# a comment\nbad line\ndb:5432:shop:me:plain\n*:*:*:other:with\\:colon\\\\\nlocalhost:*:*:me:local\n";

    #[test]
    fn the_first_line_that_fits_wins() {
        let find = |host, port, user| find(FILE, host, port, "shop", user);
        assert_eq!(find("db", 5432, "me").as_deref(), Some("plain"));
        assert_eq!(find("db", 5433, "me"), None);
        assert_eq!(find("elsewhere", 1, "other").as_deref(), Some(r"with:colon\"));
        assert_eq!(find("/run/postgresql", 5432, "me").as_deref(), Some("local"));
    }

    #[test]
    fn a_file_that_others_may_read_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "*:*:*:*:secret").unwrap();
        assert_eq!(look_up(file.path(), "h", 1, "d", "u"), Found::Password("secret".into()));
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        let Found::Unread(why) = look_up(file.path(), "h", 1, "d", "u") else { panic!("it was read") };
        assert!(why.contains("chmod 600"), "{why}");
        assert_eq!(look_up(Path::new("/nonexistent/pgpass"), "h", 1, "d", "u"), Found::Nothing);
    }
}
