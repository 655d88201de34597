//! Parameters bound in PostgreSQL's binary form.

use std::error;

use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::{
    catalog::column_type,
    error::{Error, Result},
};
use crate::{
    draw::{self, ColumnType},
    scenario::Value,
};

/// A value as it goes to the server.
#[derive(Debug, Default)]
pub(super) struct Parameter {
    bytes: Vec<u8>,
    null: bool,
}

/// A value of any type in its binary form, as it came from the server.
#[derive(Debug)]
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl Parameter {
    /// A value in binary form, unless it is NULL.
    pub(super) fn new(bytes: Vec<u8>, null: bool) -> Self {
        Self { bytes, null }
    }

    /// Encodes `values` for the parameters of a prepared statement.
    ///
    /// # Errors
    /// Their number differs, or a value is none of its parameter's type.
    pub(super) fn encode_all(values: &[Value], types: &[Type]) -> Result<Vec<Self>> {
        if values.len() != types.len() {
            return Err(Error::new(format!("it takes {} parameters, and {} are given", types.len(), values.len())));
        }
        (1..).zip(values.iter().zip(types)).map(|(number, (value, ty))| Self::encode(number, value, ty)).collect()
    }

    fn encode(number: usize, value: &Value, ty: &Type) -> Result<Self> {
        let column_type = column_type(ty)
            .ok_or_else(|| Error::new(format!("no values can be made for parameter ${number} of type {ty}")))?;
        let mut parameter = Self::default();
        parameter.set(value, &column_type).map_err(|cause| Error::new(format!("parameter ${number}: {cause}")))?;
        Ok(parameter)
    }

    /// Takes another value, in the memory of the last one.
    pub(super) fn set(&mut self, value: &Value, column_type: &ColumnType) -> draw::Result<()> {
        self.bytes.clear();
        self.null = draw::encode(value, column_type, &mut self.bytes)?;
        Ok(())
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn error::Error + Sync + Send>> {
        if self.null {
            return Ok(IsNull::Yes);
        }
        out.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> std::result::Result<Self, Box<dyn error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn error::Error + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
