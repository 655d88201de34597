//! One drawn scalar, typed, before it is written anywhere.

use std::net::IpAddr;

use super::{
    decimal::Decimal,
    moment::{self, UNIX_TO_POSTGRES_DAYS, UNIX_TO_POSTGRES_MICROS},
};
use crate::scenario::Value;

/// A scalar as its type's binary form has it. Text and bytes are borrowed from the scratch buffer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Float4(f32),
    Float8(f64),
    Numeric(Decimal),
    /// Days since 2000-01-01.
    Date(i32),
    /// Microseconds since 2000-01-01.
    Timestamp(i64),
    /// Microseconds since 2000-01-01T00:00:00Z.
    Timestamptz(i64),
    Uuid([u8; 16]),
    Inet(IpAddr),
    Text(&'a [u8]),
    Json(&'a [u8]),
    Jsonb(&'a [u8]),
    Bytea(&'a [u8]),
    Fixed(&'a Fixed),
}

/// A value that the scenario gives, with its bytes.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    pub(super) value: Value,
    /// Binary form without length; `None` is NULL.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Appends room for a field's length, and says where it is.
pub(super) fn begin_field(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    start
}

/// Fills in the length of the field that began at `start` and ends here.
pub(super) fn end_field(start: usize, out: &mut [u8]) {
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Appends a field: its length, then what `write` appends.
fn write_field(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = begin_field(out);
    write(out);
    end_field(start, out);
}

/// Appends the field that is NULL.
pub(super) fn write_null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i32).to_be_bytes());
}

/// Appends a field of known bytes.
#[inline]
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    out.extend_from_slice(bytes);
}

impl Cell<'_> {
    /// Appends it as a field: int32 length, then its binary form.
    #[inline]
    pub(super) fn write_binary(self, out: &mut Vec<u8>) {
        match self {
            Self::Null => write_null(out),
            Self::Bool(value) => write_bytes(&[u8::from(value)], out),
            Self::Int2(value) => write_bytes(&value.to_be_bytes(), out),
            Self::Int4(value) | Self::Date(value) => write_bytes(&value.to_be_bytes(), out),
            Self::Int8(value) | Self::Timestamp(value) | Self::Timestamptz(value) => {
                write_bytes(&value.to_be_bytes(), out);
            }
            Self::Float4(value) => write_bytes(&value.to_be_bytes(), out),
            Self::Float8(value) => write_bytes(&value.to_be_bytes(), out),
            Self::Numeric(value) => write_field(out, |out| value.write_binary(out)),
            Self::Uuid(value) => write_bytes(&value, out),
            Self::Inet(address) => write_field(out, |out| write_inet(address, host_bits(address), out)),
            Self::Text(value) | Self::Json(value) | Self::Bytea(value) => write_bytes(value, out),
            Self::Jsonb(value) => write_field(out, |out| {
                out.push(JSONB_VERSION);
                out.extend_from_slice(value);
            }),
            Self::Fixed(fixed) => match &fixed.bytes {
                Some(bytes) => write_bytes(bytes, out),
                None => write_null(out),
            },
        }
    }

    /// As a scenario file would write it.
    pub(super) fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int2(value) => Value::Int(value.into()),
            Self::Int4(value) => Value::Int(value.into()),
            Self::Int8(value) => Value::Int(value),
            Self::Float4(value) => Value::Float(value.into()),
            Self::Float8(value) => Value::Float(value),
            Self::Numeric(value) => Value::Text(value.to_string()),
            Self::Date(days) => Value::Text(moment::date_text(days)),
            Self::Timestamp(micros) => Value::Text(moment::timestamp_text(micros)),
            Self::Timestamptz(micros) => Value::Text(moment::timestamptz_text(micros)),
            Self::Uuid(value) => Value::Text(uuid::Uuid::from_bytes(value).to_string()),
            Self::Inet(address) => Value::Text(address.to_string()),
            Self::Text(value) | Self::Json(value) | Self::Jsonb(value) => {
                Value::Text(String::from_utf8_lossy(value).into_owned())
            }
            Self::Bytea(value) => {
                Value::Text(value.iter().fold(String::from("\\x"), |text, byte| text + &format!("{byte:02x}")))
            }
            Self::Fixed(fixed) => fixed.value.clone(),
        }
    }
}

/// First byte of jsonb's binary form (`jsonb_recv`).
pub(super) const JSONB_VERSION: u8 = 1;

/// Prefix length of a single host's address.
pub(super) fn host_bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Appends inet's binary form (`inet_recv`): family, prefix length, is-cidr, address length, address.
pub(super) fn write_inet(address: IpAddr, prefix: u8, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => {
            out.extend_from_slice(&[2, prefix, 0, 4]);
            out.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            out.extend_from_slice(&[3, prefix, 0, 16]);
            out.extend_from_slice(&address.octets());
        }
    }
}

/// Days since 2000-01-01 of a moment in microseconds since 1970.
pub(super) fn days(micros: i64) -> i32 {
    let day = micros.div_euclid(86_400_000_000) - UNIX_TO_POSTGRES_DAYS;
    day.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// Microseconds since 2000-01-01 of a moment in microseconds since 1970.
pub(super) fn micros(micros: i64) -> i64 {
    micros.saturating_sub(UNIX_TO_POSTGRES_MICROS)
}
