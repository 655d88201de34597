//! The messages of an operation, put together from parts that were made once.

use std::io;

use bytes::BytesMut;
use postgres_protocol::message::frontend;

/// The form of a value or of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// As text.
    Text,
    /// In the binary form of its type.
    Binary,
}

/// Execute of the unnamed portal, all rows.
const EXECUTE: &[u8] = b"E\0\0\0\x09\0\0\0\0\0";

/// Sync.
const SYNC: &[u8] = b"S\0\0\0\x04";

impl Format {
    /// The forms of values as Bind has them: one code goes for all.
    fn put_all(formats: &[Self], out: &mut Vec<u8>) -> io::Result<()> {
        let uniform = formats.iter().all(|format| *format == formats[0]);
        let first = formats.first().copied().unwrap_or(Self::Binary);
        let formats = if uniform { &[first][..] } else { formats };
        out.extend_from_slice(&count(formats)?.to_be_bytes());
        formats.iter().for_each(|format| out.extend_from_slice(&format.code()));
        Ok(())
    }

    fn code(self) -> [u8; 2] {
        u16::from(self == Self::Binary).to_be_bytes()
    }
}

fn count<T>(of: &[T]) -> io::Result<u16> {
    u16::try_from(of.len()).map_err(io::Error::other)
}

/// Bind, Execute and Sync of a statement; before them Parse, where it is parsed each time.
#[derive(Debug)]
pub(crate) struct Execution {
    /// Up to Bind's first value.
    head: Box<[u8]>,
    /// Where in it Bind begins.
    bind: usize,
    /// From after the last value to the end of Sync.
    tail: Box<[u8]>,
    /// The same without Execute.
    unexecuted: Box<[u8]>,
}

impl Execution {
    /// Of the statement prepared as `name`, with parameters and results in these forms.
    ///
    /// # Errors
    /// There are more of them than a message can count.
    pub(crate) fn new(name: &str, parameters: &[Format], results: Format) -> io::Result<Self> {
        Self::after(Vec::new(), name, parameters, results)
    }

    /// Of a statement that is parsed each time.
    ///
    /// # Errors
    /// As of [`new`](Self::new), or there is a zero byte in the text.
    pub(crate) fn parsing(sql: &str, parameters: &[Format], results: Format) -> io::Result<Self> {
        let mut parse = BytesMut::new();
        frontend::parse("", sql, [], &mut parse)?;
        Self::after(parse.into(), "", parameters, results)
    }

    fn after(mut head: Vec<u8>, name: &str, parameters: &[Format], results: Format) -> io::Result<Self> {
        let bind = head.len();
        head.extend_from_slice(b"B\0\0\0\0\0");
        head.extend_from_slice(name.as_bytes());
        head.push(0);
        Format::put_all(parameters, &mut head)?;
        head.extend_from_slice(&count(parameters)?.to_be_bytes());
        let mut unexecuted = Vec::new();
        Format::put_all(&[results], &mut unexecuted)?;
        let tail = [&unexecuted, EXECUTE, SYNC].concat().into();
        unexecuted.extend_from_slice(SYNC);
        Ok(Self { head: head.into(), bind, tail, unexecuted: unexecuted.into() })
    }

    /// Appends the messages to `out`. `values` appends each value as [`put_value`] does.
    ///
    /// # Errors
    /// Of `values`; `out` is then as it was.
    #[inline]
    pub(crate) fn put<E>(
        &self,
        out: &mut Vec<u8>,
        values: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.put_with(&self.tail, out, values)
    }

    /// Appends the messages without Execute: PostgreSQL plans at Bind, and drops what it made at Sync.
    ///
    /// # Errors
    /// As of [`put`](Self::put).
    pub(crate) fn put_unexecuted<E>(
        &self,
        out: &mut Vec<u8>,
        values: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.put_with(&self.unexecuted, out, values)
    }

    #[inline]
    fn put_with<E>(
        &self,
        tail: &[u8],
        out: &mut Vec<u8>,
        values: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let begin = out.len();
        out.extend_from_slice(&self.head);
        if let Err(error) = values(out) {
            out.truncate(begin);
            return Err(error);
        }
        // Bind counts itself without its tag, and two of the tail's numbers are its.
        let bind = begin + self.bind;
        let length = (out.len() - bind - 1 + 4) as u32;
        out[bind + 1..bind + 5].copy_from_slice(&length.to_be_bytes());
        out.extend_from_slice(tail);
        Ok(())
    }
}

/// Appends a value with its length; `encode` appends its bytes and says whether it is NULL.
///
/// # Errors
/// Of `encode`.
#[inline]
pub(crate) fn put_value<E>(out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<(), E> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let length = if encode(out)? { -1 } else { (out.len() - at - 4) as i32 };
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use postgres_protocol::IsNull;

    use super::*;

    #[test]
    fn the_messages_are_those_of_the_library() {
        for values in [vec![], vec![Some(vec![1, 2, 3])], vec![None, Some(vec![]), Some(vec![7; 300])]] {
            let mut expected = BytesMut::new();
            let put = |value: Option<Vec<u8>>, out: &mut BytesMut| {
                value.as_ref().inspect(|bytes| out.extend_from_slice(bytes));
                Ok(if value.is_none() { IsNull::Yes } else { IsNull::No })
            };
            assert!(frontend::bind("", "s12", [1], values.clone(), put, [1], &mut expected).is_ok());
            frontend::execute("", 0, &mut expected).unwrap();
            frontend::sync(&mut expected);

            let mut out = b"before".to_vec();
            let execution = Execution::new("s12", &vec![Format::Binary; values.len()], Format::Binary).unwrap();
            let put = |out: &mut Vec<u8>| {
                values.iter().try_for_each(|value| {
                    put_value(out, |out| {
                        value.as_ref().inspect(|bytes| out.extend_from_slice(bytes));
                        Ok::<_, ()>(value.is_none())
                    })
                })
            };
            execution.put(&mut out, put).unwrap();
            assert_eq!(out, [b"before", expected.as_ref()].concat());
            assert_eq!(execution.put(&mut out, |_| Err("no")), Err("no"));
            assert_eq!(out, [b"before", expected.as_ref()].concat());

            let mut expected = BytesMut::new();
            frontend::parse("", "SELECT $1", [], &mut expected).unwrap();
            let bytes = |value: Option<Vec<u8>>, out: &mut BytesMut| {
                value.as_ref().inspect(|bytes| out.extend_from_slice(bytes));
                Ok(if value.is_none() { IsNull::Yes } else { IsNull::No })
            };
            assert!(frontend::bind("", "", [1], values.clone(), bytes, [1], &mut expected).is_ok());
            frontend::execute("", 0, &mut expected).unwrap();
            frontend::sync(&mut expected);
            let mut parsing = b"before".to_vec();
            let binary = vec![Format::Binary; values.len()];
            Execution::parsing("SELECT $1", &binary, Format::Binary).unwrap().put(&mut parsing, put).unwrap();
            assert_eq!(parsing, [b"before", expected.as_ref()].concat());
        }
    }

    #[test]
    fn forms_are_told_one_by_one_only_where_they_differ() {
        let put = |formats: &[Format]| {
            let mut out = Vec::new();
            Format::put_all(formats, &mut out).map(|()| out).unwrap()
        };
        let (text, binary) = (Format::Text, Format::Binary);
        assert_eq!(put(&[]), [0, 1, 0, 1]);
        assert_eq!(put(&[text, text]), [0, 1, 0, 0]);
        assert_eq!(put(&[binary, text, binary]), [0, 3, 0, 1, 0, 0, 0, 1]);
    }
}
