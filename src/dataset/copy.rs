//! The two formats of COPY.

/// A format of COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Values in the binary form of their types.
    Binary,
    /// Values as text, which the input functions of their types read.
    Text,
}

impl CopyFormat {
    /// As SQL names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Text => "text",
        }
    }

    /// What a stream begins with: of a binary one signature, flags, and length of the header's extension.
    pub fn header(self) -> &'static [u8] {
        match self {
            Self::Binary => b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0",
            Self::Text => b"",
        }
    }

    /// What a stream ends with: a binary one with a field count of -1.
    pub fn trailer(self) -> &'static [u8] {
        match self {
            Self::Binary => &[0xFF, 0xFF],
            Self::Text => b"",
        }
    }
}

/// Appends a field of a row in the text format; `None` is NULL.
pub(super) fn push_text_field(out: &mut Vec<u8>, first: bool, field: Option<&str>) {
    if !first {
        out.push(b'\t');
    }
    let Some(field) = field else { return out.extend_from_slice(b"\\N") };
    for byte in field.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_field_is_one_line_and_no_null_unless_it_is() {
        let mut out = Vec::new();
        for (index, field) in [Some("a\tb\\N"), None, Some(""), Some("\\."), Some("é\r\n")].into_iter().enumerate() {
            push_text_field(&mut out, index == 0, field);
        }
        assert_eq!(String::from_utf8(out).unwrap(), "a\\tb\\\\N\t\\N\t\t\\\\.\té\\r\\n");
    }
}
