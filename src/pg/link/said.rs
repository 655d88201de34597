//! What the body of an error or a notice says.

use std::fmt;

/// The fields of an `ErrorResponse` or a `NoticeResponse`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Not localized: `ERROR`, `FATAL`, `WARNING`.
    pub(crate) severity: String,
    pub(crate) sqlstate: String,
    pub(crate) message: String,
    /// Detail and hint, each after a semicolon.
    more: String,
}

impl Said {
    pub(crate) fn read(body: &[u8]) -> Self {
        let mut said = Self::default();
        for field in body.split(|byte| *byte == 0) {
            let Some((kind, text)) = field.split_first() else { break };
            let text = String::from_utf8_lossy(text);
            match kind {
                b'C' => said.sqlstate = text.into_owned(),
                b'V' => said.severity = text.into_owned(),
                b'M' => said.message = text.into_owned(),
                b'D' | b'H' => said.more.push_str(&format!("; {text}")),
                _ => {}
            }
        }
        said
    }

    /// Words that did not come in a message.
    pub(crate) fn plain(message: String) -> Self {
        Self { message, ..Self::default() }
    }

    /// Whether the session ends with it.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }

    /// Whether it says why the session is about to end: a server that has crashed says so in a warning.
    pub(crate) fn announces_end(&self) -> bool {
        self.ends_session() || matches!(self.sqlstate.as_str(), "57P01" | "57P02" | "57P03")
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.sqlstate.is_empty() {
            write!(f, " (SQLSTATE {})", self.sqlstate)?;
        }
        f.write_str(&self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read() {
        let said = Said::read(b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0Dit was\0Htry again\0\0");
        assert_eq!(said.to_string(), "terminating connection (SQLSTATE 57P01); it was; try again");
        assert!(said.ends_session() && said.announces_end());
        let crash = Said::read(b"SWARNING\0VWARNING\0C57P02\0Mterminating connection because of crash\0\0");
        assert!(!crash.ends_session() && crash.announces_end());
        assert_eq!(Said::read(b"").to_string(), "");
        assert_eq!(Said::plain("no room".to_owned()).to_string(), "no room");
    }
}
