//! Parameters as tokio-postgres binds them.

use std::error;

use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::wire::message::Format;
use crate::draw::ColumnType;

/// A value as it goes to the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    bytes: Vec<u8>,
    null: bool,
    format: Format,
}

/// A value of any type in its binary form, as it came from the server.
#[derive(Debug)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl Parameter {
    /// A value in this form, unless it is NULL.
    pub(crate) fn new(bytes: Vec<u8>, null: bool, format: Format) -> Self {
        Self { bytes, null, format }
    }

    /// A value as text; `None` is NULL.
    pub(crate) fn text(text: Option<String>) -> Self {
        let null = text.is_none();
        Self::new(text.unwrap_or_default().into(), null, Format::Text)
    }
}

impl Format {
    /// That in which values of a type are sent.
    pub(crate) fn of(column_type: &ColumnType) -> Self {
        if column_type.is_sent_as_text() { Self::Text } else { Self::Binary }
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn error::Error + Sync + Send>> {
        if self.null {
            return Ok(IsNull::Yes);
        }
        out.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> postgres_types::Format {
        match self.format {
            Format::Text => postgres_types::Format::Text,
            Format::Binary => postgres_types::Format::Binary,
        }
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
