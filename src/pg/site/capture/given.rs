//! Values of parameters in text form, typed by the server.

use std::error;

use bytes::BytesMut;
use postgres_types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::{
    draw::{self, ColumnType},
    pg::{
        link::error::{Error, Result},
        site::catalog::column_type,
    },
    scenario::Value,
    sqltext::quote::quote_literal,
};

/// A value in the text form of its type; the server reads it as what the statement takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given(pub Option<String>);

impl Given {
    /// The text forms of `values` for the parameters of a prepared statement.
    ///
    /// # Errors
    /// Their number differs, or a value is none of its parameter's type.
    pub(crate) fn of(values: &[Value], types: &[Type]) -> Result<Vec<Self>> {
        if values.len() != types.len() {
            return Err(Error::new(format!("it takes {} parameters, and {} are given", types.len(), values.len())));
        }
        (1..).zip(values.iter().zip(types)).map(|(number, (value, ty))| Self::one(number, value, ty)).collect()
    }

    fn one(number: usize, value: &Value, ty: &Type) -> Result<Self> {
        let column_type = column_type(ty)
            .ok_or_else(|| Error::new(format!("no values can be made for parameter ${number} of type {ty}")))?;
        Self::encode(value, &column_type).map_err(|cause| Error::new(format!("parameter ${number}: {cause}")))
    }

    /// The text form of a value; `None` where it is none of its type.
    pub fn new(value: &Value, column_type: &ColumnType) -> Option<Self> {
        Self::encode(value, column_type).ok()
    }

    fn encode(value: &Value, column_type: &ColumnType) -> draw::Result<Self> {
        let mut text = String::new();
        let null = draw::encode_text(value, column_type, &mut text)?;
        Ok(Self((!null).then_some(text)))
    }

    /// As a literal without a type.
    pub(crate) fn literal(&self) -> String {
        self.0.as_deref().map_or_else(|| "NULL".to_owned(), quote_literal)
    }
}

impl ToSql for Given {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn error::Error + Sync + Send>> {
        let Some(text) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
