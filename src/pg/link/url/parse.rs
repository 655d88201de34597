//! A connection string in either of libpq's two syntaxes to its options, in order.
//!
//! No message repeats any of the string: where it is malformed, any part of it may be part of the password.

use super::{UrlError, drivers};

/// An option's name and value, decoded.
pub(crate) type Pair = (String, String);

/// Reads `postgres://..`, `postgresql://..` or `key=value ..`.
pub(crate) fn pairs(string: &str) -> Result<Vec<Pair>, UrlError> {
    let string = string.trim();
    if let Some(rest) = string.strip_prefix("postgres://").or_else(|| string.strip_prefix("postgresql://")) {
        return url(rest);
    }
    let scheme = string.split_once("://").map(|(scheme, _)| scheme);
    if let Some(hint) = drivers::of_string(string).filter(|_| scheme.is_none()) {
        return Err(UrlError::new("the database URL is another system's connection string").with_hint(hint));
    }
    match scheme {
        Some(scheme) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || ":+.-".contains(c)) => {
            Err(UrlError::new(format!("`{scheme}://` is not a PostgreSQL URL"))
                .with_hint(drivers::of_scheme(scheme).unwrap_or(SYNTAX)))
        }
        _ if string.contains('=') => key_values(string),
        _ => Err(UrlError::new("the database URL is not a PostgreSQL URL").with_hint(SYNTAX)),
    }
}

const SYNTAX: &str = "write postgres://user@host:5432/database, or host=.. port=.. dbname=.. user=..";
const ENCODE: &str = "write characters such as @ / ? # % : in a user, password or database as %40 %2F %3F %23 %25 %3A";

/// What follows the scheme: `[user[:password]@][host][:port][/database][?key=value&..]`.
fn url(rest: &str) -> Result<Vec<Pair>, UrlError> {
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if tail.contains('@') {
        // A raw `/` or `?` in the password moves the end of the authority, and then `host` is a part of the secret.
        return Err(UrlError::new("the database URL has an @ after the host").with_hint(ENCODE));
    }
    let mut pairs = Vec::new();
    let place = match authority.rsplit_once('@') {
        Some((login, place)) => {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            push(&mut pairs, "user", user)?;
            push(&mut pairs, "password", password)?;
            place
        }
        None => authority,
    };
    let (host, port) = host_and_port(place)?;
    push(&mut pairs, "host", host)?;
    push(&mut pairs, "port", port)?;

    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    push(&mut pairs, "dbname", path.strip_prefix('/').unwrap_or(path))?;
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let Some((key, value)) = option.split_once('=') else {
            return Err(UrlError::new("an option after the ? of the database URL has no `=`").with_hint(ENCODE));
        };
        // JDBC's spelling, which libpq accepts too.
        if (key, value) == ("ssl", "true") {
            push(&mut pairs, "sslmode", "require")?;
        } else {
            push(&mut pairs, &decode(key)?, value)?;
        }
    }
    Ok(pairs)
}

fn push(pairs: &mut Vec<Pair>, key: &str, encoded: &str) -> Result<(), UrlError> {
    if !encoded.is_empty() {
        pairs.push((key.to_owned(), decode(encoded)?));
    }
    Ok(())
}

fn host_and_port(place: &str) -> Result<(&str, &str), UrlError> {
    let Some(bracketed) = place.strip_prefix('[') else {
        return Ok(place.rsplit_once(':').unwrap_or((place, "")));
    };
    let Some((host, after)) = bracketed.split_once(']') else {
        return Err(UrlError::new("an IPv6 address in the database URL has no closing ]"));
    };
    match after.strip_prefix(':') {
        Some(port) => Ok((host, port)),
        None if after.is_empty() => Ok((host, "")),
        None => Err(UrlError::new("after the ] of an IPv6 address the database URL has neither : nor /")),
    }
}

/// Percent-decodes.
fn decode(text: &str) -> Result<String, UrlError> {
    let bad = || UrlError::new("the database URL has a % that two hexadecimal digits do not follow").with_hint(ENCODE);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(bad);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| bad())?);
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(UrlError::new("the database URL has percent-encoded bytes that are not UTF-8 text")),
    }
}

/// `key = value` pairs; a value with spaces stands in single quotes; `\` takes the next character as it is.
fn key_values(string: &str) -> Result<Vec<Pair>, UrlError> {
    let malformed = |what| UrlError::new(format!("the connection string {what}")).with_hint(QUOTE);
    let mut pairs = Vec::new();
    let mut rest = string.chars().peekable();
    let skip_space =
        |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| while rest.next_if(|c| c.is_whitespace()).is_some() {};
    loop {
        skip_space(&mut rest);
        if rest.peek().is_none() {
            return Ok(pairs);
        }
        let mut key = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !c.is_whitespace()) {
            key.push(c);
        }
        skip_space(&mut rest);
        if rest.next() != Some('=') {
            return Err(malformed("has a word without `=`"));
        }
        skip_space(&mut rest);
        let quoted = rest.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match rest.next() {
                Some('\'') if quoted => break,
                Some('\\') => value.extend(rest.next()),
                Some(c) if !quoted && c.is_whitespace() => break,
                Some(c) => value.push(c),
                None if quoted => return Err(malformed("has a quote without its end")),
                None => break,
            }
        }
        pairs.push((key, value));
    }
}

const QUOTE: &str = r"write a value that has spaces in single quotes, and \' for a quote in it";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(string: &str) -> Vec<(String, String)> {
        pairs(string).unwrap()
    }

    fn pair(key: &str, value: &str) -> Pair {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn a_url_with_everything() {
        assert_eq!(
            read("postgresql://me:s%40cret@db.example:6432/shop?connect_timeout=3&ssl=true"),
            [
                pair("user", "me"),
                pair("password", "s@cret"),
                pair("host", "db.example"),
                pair("port", "6432"),
                pair("dbname", "shop"),
                pair("connect_timeout", "3"),
                pair("sslmode", "require"),
            ]
        );
    }

    #[test]
    fn sockets_and_ipv6() {
        assert_eq!(
            read("postgres://%2Frun%2Fpg:5433/a"),
            [pair("host", "/run/pg"), pair("port", "5433"), pair("dbname", "a")]
        );
        assert_eq!(read("postgres:///a?host=/run/pg"), [pair("dbname", "a"), pair("host", "/run/pg")]);
        assert_eq!(read("postgres://[::1]:5433"), [pair("host", "::1"), pair("port", "5433")]);
    }

    #[test]
    fn key_values_with_quotes_and_escapes() {
        assert_eq!(
            read(r"host = db password='it\'s \\ it' user=a\ b"),
            [pair("host", "db"), pair("password", r"it's \ it"), pair("user", "a b")]
        );
    }

    #[test]
    fn what_is_malformed_is_never_repeated() {
        for string in [
            "postgres://me:hunter2/x@db/shop",
            "postgres://me:hunter2?x@db/shop",
            "postgres://me:hunter2%zz@db/shop",
            "postgres://me:p@db/shop?hunter2",
            "postgres://me:hunter2@[::1/shop",
            "host=db password=hunter1 hunter2",
            "host=db password='hunter2",
            "hunter2",
            "hunter2@x://y",
        ] {
            let error = pairs(string).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter"), "{string}: {error}");
        }
    }

    #[test]
    fn another_scheme_is_named() {
        assert_eq!(pairs("mysql://me:pw@db/x").unwrap_err().to_string(), "`mysql://` is not a PostgreSQL URL");
    }

    proptest::proptest! {
        #[test]
        fn any_string_is_read_or_refused(string in ".*", url in "postgres://[a-z:@/?&=%\\[\\]0-9]*") {
            let _ = pairs(&string);
            let _ = pairs(&url);
        }
    }
}
