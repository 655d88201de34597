//! A scenario's value as it is sent: in PostgreSQL's binary form, or as text where a type has none here.

use std::net::IpAddr;

use super::{
    as_it_is::as_it_is,
    cell::{JSONB_VERSION, begin_field, end_field, host_bits, write_inet, write_null},
    column_type::ColumnType,
    decimal,
    error::{Error, Result},
    moment,
    sink::{write_array_header, write_value},
};
use crate::scenario::Value;

/// Appends `value` as a `ty` as it is sent, without a length, and says whether it is NULL (which appends
/// nothing): in binary form, unless the type [is sent as text](ColumnType::is_sent_as_text).
///
/// # Errors
/// When the value cannot be one of the type; the message names both and shows how one is written. `out` may then hold a part.
pub fn encode(value: &Value, ty: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
    let misfit = || Error::new(format!("{value} is not a valid {ty}: write {}", ty.example()));
    match (ty, value) {
        (_, Value::Null) => return Ok(true),
        (ty, value) if ty.is_sent_as_text() => {
            let mut text = String::new();
            as_it_is(value, ty, &mut text)?;
            out.extend_from_slice(text.as_bytes());
        }
        (ColumnType::Bool, Value::Bool(value)) => out.push(u8::from(*value)),
        (ColumnType::Int2, Value::Int(value)) => {
            out.extend_from_slice(&i16::try_from(*value).map_err(|_| misfit())?.to_be_bytes());
        }
        (ColumnType::Int4, Value::Int(value)) => {
            out.extend_from_slice(&i32::try_from(*value).map_err(|_| misfit())?.to_be_bytes());
        }
        (ColumnType::Int8, Value::Int(value)) => out.extend_from_slice(&value.to_be_bytes()),
        (ColumnType::Float4, Value::Int(value)) => out.extend_from_slice(&(*value as f32).to_be_bytes()),
        (ColumnType::Float4, Value::Float(value)) => out.extend_from_slice(&(*value as f32).to_be_bytes()),
        (ColumnType::Float8, Value::Int(value)) => out.extend_from_slice(&(*value as f64).to_be_bytes()),
        (ColumnType::Float8, Value::Float(value)) => out.extend_from_slice(&value.to_be_bytes()),
        // JSON, which queries' values come as, has no number for them.
        (ColumnType::Float4 | ColumnType::Float8, Value::Text(text)) => {
            return encode(&Value::Float(not_finite(text.trim()).ok_or_else(misfit)?), ty, out);
        }
        (ColumnType::Numeric, Value::Int(value)) => {
            decimal::write_text(&value.to_string(), out).ok_or_else(misfit)?;
        }
        (ColumnType::Numeric, Value::Float(value)) => {
            decimal::write_text(&value.to_string(), out).ok_or_else(misfit)?;
        }
        (ColumnType::Numeric, Value::Text(text)) => decimal::write_text(text.trim(), out).ok_or_else(misfit)?,
        (ColumnType::Enum(of), Value::Text(text)) if !of.labels.contains(text) => return Err(misfit()),
        (ColumnType::Text | ColumnType::TextLike(_) | ColumnType::Enum(_), Value::Text(text)) => {
            if text.contains('\0') {
                return Err(Error::new(format!("a {ty} cannot hold the character U+0000")));
            }
            out.extend_from_slice(text.as_bytes());
        }
        (ColumnType::Date, Value::Text(text)) => {
            out.extend_from_slice(&moment::parse_date(text.trim()).ok_or_else(misfit)?.to_be_bytes());
        }
        (ColumnType::Timestamp, Value::Text(text)) => {
            out.extend_from_slice(&moment::parse_timestamp(text.trim()).ok_or_else(misfit)?.to_be_bytes());
        }
        (ColumnType::Timestamptz, Value::Text(text)) => {
            out.extend_from_slice(&moment::parse_timestamptz(text.trim()).ok_or_else(misfit)?.to_be_bytes());
        }
        (ColumnType::Uuid, Value::Text(text)) => {
            out.extend_from_slice(uuid::Uuid::try_parse(text.trim()).map_err(|_| misfit())?.as_bytes());
        }
        (ColumnType::Json | ColumnType::Jsonb, value) => {
            if *ty == ColumnType::Jsonb {
                out.push(JSONB_VERSION);
            }
            match value {
                Value::Text(text) => {
                    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| misfit())?;
                    out.extend_from_slice(text.as_bytes());
                }
                value => write_value(value, out),
            }
        }
        (ColumnType::Inet, Value::Text(text)) => {
            let (address, prefix) = parse_inet(text.trim()).ok_or_else(misfit)?;
            write_inet(address, prefix, out);
        }
        (ColumnType::Bytea, Value::Text(text)) => {
            let bytes = text.strip_prefix("\\x").and_then(parse_hex).ok_or_else(misfit)?;
            out.extend_from_slice(&bytes);
        }
        (ColumnType::Array(element), Value::Array(values)) => {
            write_array_header(element.oid(), values.len(), out);
            for value in values {
                if *value == Value::Null {
                    write_null(out);
                    continue;
                }
                let field = begin_field(out);
                encode(value, element, out)?;
                end_field(field, out);
            }
        }
        _ => return Err(misfit()),
    }
    Ok(false)
}

/// `10.0.0.1`, `10.0.0.0/8`, `fe80::1/64`.
fn parse_inet(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let most = host_bits(address);
    let prefix = prefix.map_or(Some(most), |prefix| prefix.parse().ok().filter(|prefix| *prefix <= most))?;
    Some((address, prefix))
}

/// `NaN`, `Infinity`, `-Infinity`.
fn not_finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| !number.is_finite())
}

fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<Vec<u8>>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
